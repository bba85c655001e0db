// Notifications as they come: pop-ups in the tab that somebody looks at, the count of what is unread
// in every tab, and the menu of the bell. All words come from the server.
//
//   server ──one stream for each browser──▶ the leading tab ──BroadcastChannel──▶ its other tabs
//
// A browser keeps six connections to a server at most, so ten tabs cannot have a stream each: the tab
// that came to the front last leads. When it closes, or is not heard of, another one takes over.
"use strict";
(() => {
  const { stream, person } = document.body.dataset;
  const popups = document.getElementById("popups");
  if (!stream || !popups) return;

  const AT_ONCE = 3; // pop-ups; of more the rest is counted
  const MOST_WAITING = 200;
  const TOGETHER = 150; // milliseconds; what comes at once is shown at once
  const STAYS = 12_000; // milliseconds
  const LONGEST_WAIT = 60_000;
  const LEADER_LOST = 75_000; // longer than a stream lasts, so that a new one was heard of

  // ── what was shown, in whichever tab ──
  const key = `buzon.shown.${person}`;
  let shownHere = null; // where the browser keeps nothing for us
  const shown = () => {
    try { return Number(localStorage.getItem(key) ?? shownHere) || null; } catch { return shownHere; }
  };
  const setShown = (id) => {
    shownHere = id;
    try { localStorage.setItem(key, String(id)); } catch { /* this tab still knows */ }
  };

  // ── the count ──
  const title = document.title;
  const bell = document.querySelector("[data-unread]");
  function count(unread) {
    bell.textContent = unread;
    bell.hidden = !unread;
    document.title = unread ? `(${unread}) ${title}` : title;
  }
  if (!bell.hidden) count(bell.textContent);

  // ── the pop-ups ──
  let waiting = []; // what came while nobody looked
  let gathering = 0;
  const isLookedAt = () => document.visibilityState === "visible" && document.hasFocus();

  function show() {
    if (!waiting.length || !isLookedAt()) return;
    const seen = shown() ?? 0;
    const fresh = waiting.filter((one) => one.id > seen);
    waiting = [];
    if (!fresh.length) return;
    setShown(Math.max(...fresh.map((one) => one.id)));
    for (const one of fresh.slice(-AT_ONCE)) add(one.html);
    for (const old of [...popups.querySelectorAll("[data-popup]")].slice(0, -AT_ONCE)) old.remove();
    if (fresh.length > AT_ONCE) more(fresh.length - AT_ONCE);
  }

  function add(html) {
    popups.insertAdjacentHTML("beforeend", html);
    goesAway(popups.lastElementChild);
  }

  function more(number) {
    popups.querySelector(".popup-more")?.remove();
    const link = document.createElement("a");
    link.className = "popup-more";
    link.href = popups.dataset.list;
    link.textContent = number === 1 ? popups.dataset.one : popups.dataset.many.replace("{number}", number);
    popups.append(link);
    goesAway(link);
  }

  // Not while somebody points at it, is in it with the keyboard, or looks at another window.
  function goesAway(popup) {
    const look = () => {
      if (!popup.isConnected) return;
      if (popup.matches(":hover, :focus-within") || !isLookedAt()) setTimeout(look, 2_000);
      else popup.remove();
    };
    setTimeout(look, STAYS);
  }

  popups.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]");
    if (close) close.closest("[data-popup]").remove();
  });

  function hear(event, data) {
    if (event === "unread") {
      count(data.count);
      // New here, or the shop's database was begun anew: only what comes from now on pops up.
      if (shown() === null || shown() > data.newest) setShown(data.newest);
    } else if (data.popup && !waiting.some((one) => one.id === data.id)) {
      waiting = [...waiting, data].slice(-MOST_WAITING);
      clearTimeout(gathering);
      gathering = setTimeout(show, TOGETHER);
    }
  }
  document.addEventListener("visibilitychange", show);
  window.addEventListener("focus", show);

  // ── the stream, and which tab has it ──
  const tabs = new BroadcastChannel(`buzon.${person}`);
  const me = crypto.getRandomValues(new Uint32Array(2)).join("-");
  let source = null;
  let wait = 1_000;
  let heardOfLeader = Date.now();
  let isOver = false; // signed out

  function open() {
    const after = shown();
    source = new EventSource(after === null ? stream : `${stream}?after=${after}`);
    const own = source;
    for (const name of ["unread", "notification"]) {
      own.addEventListener(name, (event) => {
        wait = 1_000;
        const data = JSON.parse(event.data);
        tabs.postMessage({ from: me, event: name, data });
        hear(name, data);
      });
    }
    // The end of a stream: the browser comes back by itself. CLOSED: it was refused, and does not.
    own.addEventListener("error", () => {
      if (own === source && own.readyState === EventSource.CLOSED) tryLater();
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  function tryLater() {
    close();
    setTimeout(ask, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  // 204: not signed in any more. Anything else that is not yes: the server is away for a moment.
  async function ask() {
    if (source || isOver) return;
    try {
      const answer = await fetch(stream, { method: "HEAD", headers: { Accept: "text/event-stream" } });
      if (answer.status === 204) { isOver = true; return; }
      if (answer.ok) { lead(); return; }
    } catch { /* no network: later */ }
    tryLater();
  }

  function lead() {
    if (source || isOver) return;
    heardOfLeader = Date.now();
    tabs.postMessage({ from: me, event: "leads" });
    open();
  }

  tabs.addEventListener("message", ({ data: said }) => {
    if (said.from === me) return;
    heardOfLeader = Date.now();
    if (said.event === "leads") close();
    else if (said.event === "leaves") takeOverFrom(heardOfLeader);
    else hear(said.event, said.data);
  });

  // A tab that goes to the next page is back in a moment, and says so.
  function takeOverFrom(left) {
    setTimeout(() => { if (heardOfLeader === left) lead(); }, 1_000 + Math.random() * 1_000);
  }
  document.addEventListener("visibilitychange", () => { if (isLookedAt()) lead(); });
  window.addEventListener("focus", lead);
  window.addEventListener("pagehide", () => {
    if (!source) return;
    close();
    tabs.postMessage({ from: me, event: "leaves" });
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) lead(); });
  setInterval(() => { if (Date.now() - heardOfLeader > LEADER_LOST) lead(); }, 15_000);
  lead();

  // ── the menu of the bell; without it the bell is a link to the page ──
  const opener = document.querySelector("[data-bell]");
  const items = document.getElementById("bell-items");
  function showBell(open) {
    items.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
  }
  opener.setAttribute("aria-controls", items.id);
  showBell(false);
  opener.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) return;
    event.preventDefault();
    if (!items.hidden) { showBell(false); return; }
    items.textContent = "";
    await htmx.ajax("GET", opener.dataset.bell, { target: items, swap: "innerHTML" });
    if (items.textContent.trim()) showBell(true);
    else location.assign(opener.href); // it could not be had: the page says why
  });
  document.addEventListener("click", (event) => {
    if (!items.hidden && !event.target.closest("[data-bell-menu]")) showBell(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || items.hidden) return;
    showBell(false);
    opener.focus();
  });
})();
