// One tick for all of a page. Without it each is ticked by itself.
"use strict";
(() => {
  const all = document.querySelector("[data-tick-all]");
  if (!all) return;
  const ticks = () => [...document.querySelectorAll('.ledger input[name="ids"]')];
  const look = () => {
    const ticked = ticks().filter((one) => one.checked).length;
    all.checked = ticked > 0 && ticked === ticks().length;
    all.indeterminate = ticked > 0 && !all.checked;
  };
  all.closest("label").hidden = false;
  all.addEventListener("change", () => { for (const one of ticks()) one.checked = all.checked; });
  document.addEventListener("change", (event) => { if (event.target.name === "ids") look(); });
  look();
})();
