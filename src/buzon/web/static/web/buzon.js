// What pages do beyond links and forms: menus that close, a focus that lands on what is wrong,
// refusals that end with their cause, and forms that are not sent twice. Without it every page
// still works.
"use strict";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A click too many sends nothing twice; coming back to the page makes the form usable again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  // A filter shows what the list is filtered by, not what was typed before one went back.
  for (const filter of document.querySelectorAll("form.filters")) filter.reset();
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// What was wrong with a field is not said any more once it holds something else.
document.addEventListener("input", (event) => {
  const field = event.target.closest(".field.has-error");
  if (!field) return;
  field.classList.remove("has-error");
  field.querySelector(".error").replaceChildren();
  for (const control of field.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  const form = field.closest("form");
  if (!form.querySelector(".has-error")) form.querySelector("[data-counts-fields]")?.remove();
});

const wrong = document.querySelector("[data-focus]");
if (wrong) wrong.focus();
