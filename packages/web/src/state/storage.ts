/** The browser's own memory; where it is switched off, nothing is remembered and nothing fails. */

const PREFIX = 'tyto.';

export function readStored(name: string): string | undefined {
  try {
    return window.localStorage.getItem(PREFIX + name) ?? undefined;
  } catch {
    return undefined;
  }
}

export function writeStored(name: string, text: string): void {
  try {
    window.localStorage.setItem(PREFIX + name, text);
  } catch {
    // Full or forbidden: the choice then lasts as long as the page.
  }
}
