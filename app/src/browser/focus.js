// Where the focused element leaves the page, or can no longer be used, the focus goes to the section or the dialog that
// it was in: who works by keyboard goes on from there, and a screen reader says where that is.

export function keepFocus() {
  let last = null;
  let around = null;
  addEventListener("focusin", ({ target }) => {
    last = target;
    around = target.closest("dialog, section");
  });
  const look = () => {
    if (!last || (last.isConnected && !last.disabled)) return;
    if (document.activeElement !== document.body) return;
    last = null;
    if (around?.isConnected) around.focus({ preventScroll: true });
  };
  const changed = () => {
    look();
    // A button that is switched off keeps the focus until the next frame.
    if (last?.disabled) requestAnimationFrame(() => requestAnimationFrame(look));
  };
  new MutationObserver(changed).observe(document.body, { subtree: true, childList: true, attributeFilter: ["disabled"] });
}
