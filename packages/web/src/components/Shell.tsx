/** What surrounds every page: navigation, connection, settings, keyboard. */

import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useText } from '../i18n/useText.ts';
import type { Dictionary } from '../i18n/dictionary.ts';
import { type Connection, useConnection } from '../state/connection.ts';
import { useLoudCount } from '../state/live.ts';
import { refreshAll } from '../state/poll.ts';
import { changeSettings, useSettings } from '../state/settings.ts';
import { Ago, Choices, Link } from './basics.tsx';
import { Icon, type IconName, OwlMark } from './icons.tsx';
import { usePageTitle } from './pageTitle.ts';
import { ShortcutHelp, useShortcuts } from './shortcuts.tsx';

export type PageId = 'home' | 'query' | 'targets' | 'alerts' | 'status';

const PAGES: readonly (readonly [id: PageId, to: string])[] = [
  ['home', ''],
  ['query', 'query'],
  ['alerts', 'alerts'],
  ['targets', 'targets'],
  ['status', 'status'],
];

export function Shell(props: { page: PageId | undefined; title: string; children: ReactNode }) {
  const text = useText();
  const main = useRef<HTMLElement>(null);
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const loudCount = useLoudCount();
  const connection = useConnection();
  usePageTitle(props.title, loudCount);
  useShortcuts(() => setIsHelpOpen(true));
  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        {text.shell.skip}
      </button>
      <header className="topbar">
        <Link to="" className="brand" label="Tyto">
          <OwlMark />
          <span>Tyto</span>
        </Link>
        <nav className="nav" aria-label={text.shell.navigation}>
          {PAGES.map(([id, to]) => (
            <NavLink key={id} id={id} to={to} current={props.page === id} loudCount={loudCount} />
          ))}
        </nav>
        <div className="topbar-end">
          <ConnectionMark connection={connection} />
          <QuickSettings />
          <SettingsMenu onHelp={() => setIsHelpOpen(true)} />
        </div>
      </header>
      {connection.failingSinceMs === undefined ? null : <Disconnected connection={connection} />}
      <main id="main" ref={main} tabIndex={-1}>
        {props.children}
      </main>
      <ShortcutHelp isOpen={isHelpOpen} onClose={() => setIsHelpOpen(false)} />
    </>
  );
}

function NavLink(props: { id: PageId; to: string; current: boolean; loudCount: number }) {
  const text = useText();
  const icon: IconName = props.id;
  const hasCount = props.id === 'alerts' && props.loudCount > 0;
  return (
    <Link to={props.to} className="nav-link" current={props.current}>
      <Icon name={icon} />
      <span>{text.shell[props.id]}</span>
      {hasCount ? (
        <span className="count tone-critical" title={text.home.firing(props.loudCount)}>
          {props.loudCount}
        </span>
      ) : null}
    </Link>
  );
}

function connectionText(connection: Connection, text: Dictionary): string {
  if (connection.failingSinceMs !== undefined) return text.shell.disconnected;
  return connection.lastSuccessMs === undefined ? text.shell.connecting : text.shell.connected;
}

function ConnectionMark({ connection }: { connection: Connection }) {
  const text = useText();
  const isFailing = connection.failingSinceMs !== undefined;
  const tone = isFailing ? 'critical' : connection.lastSuccessMs === undefined ? 'unknown' : 'good';
  return (
    <button
      type="button"
      className={`connection tone-${tone}`}
      onClick={refreshAll}
      title={text.shell.retryNow}
    >
      <span className="connection-dot" />
      <span className="connection-text">{connectionText(connection, text)}</span>
      {connection.lastSuccessMs === undefined ? null : (
        <span className="connection-ago">
          <Ago ms={connection.lastSuccessMs} />
        </span>
      )}
    </button>
  );
}

function Disconnected({ connection }: { connection: Connection }) {
  const text = useText();
  return (
    <div className="disconnected" role="alert">
      <Icon name="down" size={18} />
      <div>
        <strong>{text.shell.notReachable}</strong>
        <span> </span>
        <LastData ms={connection.lastSuccessMs} />
        <span className="mono reason">{connection.reason}</span>
      </div>
      <button type="button" className="button small" onClick={refreshAll}>
        {text.shell.retryNow}
      </button>
    </div>
  );
}

function LastData({ ms }: { ms: number | undefined }) {
  const text = useText();
  if (ms === undefined) return <span>{text.shell.neverData}</span>;
  const [before = '', after = ''] = text.shell.lastData('\u0000').split('\u0000');
  return (
    <span>
      {before}
      <Ago ms={ms} />
      {after}
    </span>
  );
}

/** The two that one changes often, without opening the menu; wide screens only. */
function QuickSettings() {
  const text = useText();
  const { language, zone } = useSettings();
  return (
    <div className="quick">
      <button
        type="button"
        className="button ghost"
        title={text.shell.zone}
        onClick={() => changeSettings({ zone: zone === 'utc' ? 'local' : 'utc' })}
      >
        {zone === 'utc' ? text.shell.zoneUtc : text.shell.zoneLocal}
      </button>
      <button
        type="button"
        className="button ghost"
        lang={language === 'ko' ? 'en' : 'ko'}
        title={text.shell.language}
        onClick={() => changeSettings({ language: language === 'ko' ? 'en' : 'ko' })}
      >
        {language === 'ko' ? 'English' : '한국어'}
      </button>
    </div>
  );
}

function SettingsMenu({ onHelp }: { onHelp: () => void }) {
  const text = useText();
  const settings = useSettings();
  const details = useRef<HTMLDetailsElement>(null);
  useCloseOnOutside(details);
  return (
    <details className="menu" ref={details}>
      <summary className="button ghost" aria-label={text.shell.settings}>
        <Icon name="settings" />
      </summary>
      <div className="menu-body">
        <span className="menu-label">{text.shell.language}</span>
        <Choices
          label={text.shell.language}
          value={settings.language}
          choices={[
            ['ko', '한국어'],
            ['en', 'English'],
          ]}
          onChange={(language) => changeSettings({ language })}
        />
        <span className="menu-label">{text.shell.theme}</span>
        <Choices
          label={text.shell.theme}
          value={settings.theme}
          choices={[
            ['system', text.shell.themeSystem],
            ['light', text.shell.themeLight],
            ['dark', text.shell.themeDark],
          ]}
          onChange={(theme) => changeSettings({ theme })}
        />
        <span className="menu-label">{text.shell.zone}</span>
        <Choices
          label={text.shell.zone}
          value={settings.zone}
          choices={[
            ['local', text.shell.zoneLocal],
            ['utc', text.shell.zoneUtc],
          ]}
          onChange={(zone) => changeSettings({ zone })}
        />
        <span className="menu-label">{text.shell.density}</span>
        <Choices
          label={text.shell.density}
          value={settings.density}
          choices={[
            ['comfortable', text.shell.densityComfortable],
            ['compact', text.shell.densityCompact],
          ]}
          onChange={(density) => changeSettings({ density })}
        />
        <button type="button" className="button" onClick={onHelp}>
          <Icon name="keyboard" />
          {text.shell.shortcuts} <kbd>?</kbd>
        </button>
      </div>
    </details>
  );
}

function useCloseOnOutside(details: React.RefObject<HTMLDetailsElement | null>): void {
  useEffect(() => {
    const close = (event: Event) => {
      const element = details.current;
      if (element === null || !element.open) return;
      const isEscape = event instanceof KeyboardEvent && event.key === 'Escape';
      const isOutside =
        event.type === 'pointerdown' &&
        event.target instanceof Node &&
        !element.contains(event.target);
      if (isEscape || isOutside) element.open = false;
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, [details]);
}
