/** The keyboard: `g` and a letter go to a page, `/` writes a query, `?` lists all of this. */

import { useEffect, useRef } from 'react';
import { useText } from '../i18n/useText.ts';
import { currentLocation, navigate } from '../state/router.ts';
import { Icon } from './icons.tsx';

/** How long after `g` the second key may come. */
const SEQUENCE_MS = 1200;

const PAGES: Readonly<Record<string, string>> = {
  h: '',
  q: 'query',
  t: 'targets',
  a: 'alerts',
  s: 'status',
};

export const FOCUS_QUERY_EVENT = 'tyto-focus-query';

/** Set while the query page is not there yet but was asked to take the focus. */
let isFocusWanted = false;

/** For the first editor of the query page, when it appears. */
export function takeFocusWish(): boolean {
  const isWanted = isFocusWanted;
  isFocusWanted = false;
  return isWanted;
}

export function useShortcuts(openHelp: () => void): void {
  const open = useRef(openHelp);
  useEffect(() => {
    open.current = openHelp;
  });
  useEffect(() => {
    let armedUntilMs = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const page = performance.now() < armedUntilMs ? PAGES[event.key] : undefined;
      armedUntilMs = event.key === 'g' ? performance.now() + SEQUENCE_MS : 0;
      if (page !== undefined) navigate(page);
      else if (event.key === '?') open.current();
      else if (event.key === '/') focusQuery();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

export function ShortcutHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const text = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  const rows: readonly (readonly [keys: readonly string[], meaning: string])[] = [
    [['g', 'h'], text.shell.home],
    [['g', 'q'], text.shell.query],
    [['g', 'a'], text.shell.alerts],
    [['g', 't'], text.shell.targets],
    [['g', 's'], text.shell.status],
    [['/'], text.shell.shortcutFocus],
    [['Enter'], text.shell.shortcutRun],
    [['Ctrl+Space'], text.shell.shortcutComplete],
    [['?'], text.shell.shortcutHelp],
  ];
  return (
    <dialog ref={dialog} className="dialog" onClose={onClose} aria-label={text.shell.shortcuts}>
      <div className="dialog-head">
        <h2>{text.shell.shortcuts}</h2>
        <button
          type="button"
          className="button ghost"
          onClick={onClose}
          aria-label={text.shell.close}
        >
          <Icon name="close" />
        </button>
      </div>
      <dl className="shortcuts">
        {rows.map(([keys, meaning]) => (
          <div key={keys.join(' ')}>
            <dt>
              {keys.map((key, index) => (
                <span key={key}>
                  {index > 0 ? <span className="faint"> {text.shell.shortcutThen} </span> : null}
                  <kbd>{key}</kbd>
                </span>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}

function focusQuery(): void {
  if (/^(query|graph)$/.test(currentLocation().path)) {
    document.dispatchEvent(new Event(FOCUS_QUERY_EVENT));
    return;
  }
  isFocusWanted = true;
  navigate('query');
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
