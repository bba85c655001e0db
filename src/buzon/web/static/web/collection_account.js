// Incoming mailboxes. Without it: tabs are links, the port is the server's to choose, the check is a
// page of its own, and the list stands still.
"use strict";

// A page that nobody looks at asks for nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("[data-live]")) event.preventDefault();
});

// The result of a check comes into sight, and the keyboard goes on from there.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "check") return;
  event.detail.target.focus({ preventScroll: true });
  event.detail.target.scrollIntoView({ block: "nearest" });
});

// When we ourselves are out of reach, that stands where the result would.
for (const failure of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(failure, (event) => {
    if (!event.detail.elt.matches("[data-check]")) return;
    const place = document.getElementById("check");
    place.textContent = place.dataset.failed;
  });
}

const account = document.getElementById("account");
if (account) {
  const field = (name) => account.elements.namedItem(name);
  const ports = JSON.parse(account.dataset.ports);
  const example = field("port").closest(".field").querySelector(".example");

  const showPort = () => {
    const usual = String(ports[`${field("protocol").value} ${field("security").value}`] ?? "");
    field("port").placeholder = usual;
    example.textContent = example.textContent.replace(/\d+/, usual);
  };
  account.addEventListener("change", showPort);
  showPort();

  // Trusting a certificate fills its field, and asks the server again.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=trust]");
    if (!button || button.form !== account) return;
    event.preventDefault();
    field("pinned_sha256").value = button.value;
    field("pinned_sha256").closest("details").open = true;
    account.querySelector("[data-check]").click();
  });

  // A link to a field inside closed details opens them.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#id_"]');
    const target = link && document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    const closed = target.closest("details");
    if (closed) closed.open = true;
    target.focus();
  });

  // Tabs keep what was typed: they change the address, not the page.
  const tabs = [...document.querySelectorAll("[data-tabs] a")];
  const nameOf = (address) => new URL(address, location).searchParams.get("tab") ?? "incoming";
  const show = () => {
    for (const tab of tabs) {
      const here = nameOf(tab.href) === nameOf(location.href);
      tab.toggleAttribute("aria-current", here);
      if (here) tab.setAttribute("aria-current", "page");
      document.getElementById(`tab-${nameOf(tab.href)}`).hidden = !here;
    }
  };
  for (const tab of tabs) {
    tab.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      history.pushState(null, "", tab.href);
      show();
    });
  }
  window.addEventListener("popstate", show);
}
