// The first step of setting up: the browser's time zone, while nobody has chosen one.
"use strict";

const zones = document.querySelector("select[data-guess-zone]");
if (zones && !document.querySelector("[aria-invalid], [data-focus]")) {
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zones.value === zones.querySelector("option[selected]")?.value
      && [...zones.options].some((option) => option.value === mine)) zones.value = mine;
}
