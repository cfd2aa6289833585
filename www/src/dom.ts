// Small helpers. Text goes in as text, never as HTML: nothing to escape, and Trusted Types are content.

/** An element of the page; its absence is a mistake of ours, not of the person. */
export function byId<E extends HTMLElement | SVGElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id) as Element | null;
  if (!found) throw new Error(`The page lacks #${id}`);
  return found as E;
}

/** A new element with text or children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

/** Calls `action` on each click, and not again before it has settled; focus stays on the button. */
export function onClick(id: string, action: () => Promise<void> | void): void {
  const button = byId<HTMLButtonElement>(id);
  // An action that leaves the page never settles; the back button may bring the page back as it was left.
  addEventListener("pageshow", ({ persisted }) => persisted && button.removeAttribute("aria-disabled"));
  button.addEventListener("click", async () => {
    // aria-disabled rather than disabled: a disabled button would lose the focus of someone at the keyboard.
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      await action();
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
}
