/** Keeps a failure of one page from taking the shell with it. */

import { Component, type ReactNode } from 'react';
import { useText } from '../i18n/useText.ts';
import { Icon } from './icons.tsx';

interface Props {
  readonly children: ReactNode;
  /** A new value clears the failure: another page has its own chance. */
  readonly resetKey: string;
}

interface State {
  readonly message: string | undefined;
  readonly resetKey: string;
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { message: undefined, resetKey: this.props.resetKey };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  static getDerivedStateFromProps(props: Props, state: State): State | null {
    if (props.resetKey === state.resetKey) return null;
    return { message: undefined, resetKey: props.resetKey };
  }

  override render(): ReactNode {
    const { message } = this.state;
    return message === undefined ? this.props.children : <Crash message={message} />;
  }
}

function Crash({ message }: { message: string }) {
  const text = useText();
  return (
    <div className="notice tone-critical" role="alert">
      <Icon name="critical" />
      <div>
        <strong>{text.errors.crashed}</strong>
        <p>{text.errors.crashedDetail}</p>
        <p className="mono wrap">{message}</p>
        <button type="button" className="button" onClick={() => window.location.reload()}>
          {text.errors.reload}
        </button>
      </div>
    </div>
  );
}
