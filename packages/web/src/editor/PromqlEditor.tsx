/**
 * The editor of an expression: CodeMirror with PromQL's grammar. Enter runs, Shift+Enter breaks.
 */

import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  completionKeymap,
  completionStatus,
  moveCompletionSelection,
} from '@codemirror/autocomplete';
import {
  defaultKeymap,
  history,
  historyKeymap,
  insertNewlineAndIndent,
} from '@codemirror/commands';
import {
  bracketMatching,
  HighlightStyle,
  LRLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parser } from '@prometheus-io/lezer-promql';
import { useEffect, useRef } from 'react';
import { FOCUS_QUERY_EVENT, takeFocusWish } from '../components/shortcuts.tsx';
import { completePromql } from './completion.ts';

export interface PromqlEditorProps {
  readonly value: string;
  readonly label: string;
  readonly placeholder: string;
  /** Whether `/` brings the focus here. */
  readonly isFirst: boolean;
  readonly onChange: (value: string) => void;
  readonly onRun: (value: string) => void;
}

const promql = LRLanguage.define({
  name: 'promql',
  parser,
  languageData: { closeBrackets: { brackets: ['(', '[', '{', '"', "'", '`'] } },
});

const colors = HighlightStyle.define([
  { tag: [tags.function(tags.variableName), tags.operatorKeyword], color: 'var(--series-7)' },
  { tag: [tags.modifier, tags.keyword], color: 'var(--series-7)' },
  { tag: tags.string, color: 'var(--series-3)' },
  { tag: tags.number, color: 'var(--series-2)' },
  { tag: tags.labelName, color: 'var(--series-4)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
  { tag: tags.operator, color: 'var(--faint)' },
  { tag: tags.invalid, textDecoration: 'underline wavy var(--critical)' },
]);

export function PromqlEditor(props: PromqlEditorProps) {
  const holder = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const latest = useRef(props);
  const words = useRef(new Compartment());
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    if (holder.current === null) return;
    const made = new EditorView({
      parent: holder.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: extensionsOf(latest, words.current),
      }),
    });
    view.current = made;
    if (latest.current.isFirst && takeFocusWish()) made.focus();
    return () => {
      made.destroy();
      view.current = undefined;
    };
  }, []);
  useEffect(() => {
    const editor = view.current;
    const current = editor?.state.doc.toString();
    if (editor === undefined || current === props.value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.value } });
  }, [props.value]);
  useEffect(() => {
    view.current?.dispatch({
      effects: words.current.reconfigure(wordsOf(props.label, props.placeholder)),
    });
  }, [props.label, props.placeholder]);
  useEffect(() => {
    if (!props.isFirst) return;
    const focus = () => view.current?.focus();
    document.addEventListener(FOCUS_QUERY_EVENT, focus);
    return () => document.removeEventListener(FOCUS_QUERY_EVENT, focus);
  }, [props.isFirst]);
  return <div ref={holder} className="editor" />;
}

function wordsOf(label: string, hint: string) {
  return [placeholder(hint), EditorView.contentAttributes.of({ 'aria-label': label })];
}

function extensionsOf(latest: { readonly current: PromqlEditorProps }, words: Compartment) {
  const run = (editor: EditorView) => {
    latest.current.onRun(editor.state.doc.toString());
    return true;
  };
  const leave = (editor: EditorView) => {
    editor.contentDOM.blur();
    return true;
  };
  return [
    words.of(wordsOf(latest.current.label, latest.current.placeholder)),
    promql,
    syntaxHighlighting(colors),
    history(),
    bracketMatching(),
    closeBrackets(),
    // Nothing is selected at first, so that Enter runs what was typed; Tab takes the first offer.
    autocompletion({ override: [completePromql], selectOnOpen: false, interactionDelay: 0 }),
    EditorView.lineWrapping,
    keymap.of([{ key: 'Tab', run: takeCompletion }, ...completionKeymap]),
    Prec.low(
      keymap.of([
        { key: 'Enter', run, shift: insertNewlineAndIndent },
        { key: 'Mod-Enter', run },
        { key: 'Escape', run: leave },
        ...historyKeymap,
        ...defaultKeymap,
      ]),
    ),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) latest.current.onChange(update.state.doc.toString());
    }),
  ];
}

/** Takes the selected offer or the first; while offers are on their way, Tab waits for them. */
function takeCompletion(editor: EditorView): boolean {
  const status = completionStatus(editor.state);
  if (status === 'pending') return true;
  if (status !== 'active') return false;
  if (acceptCompletion(editor)) return true;
  return moveCompletionSelection(true)(editor) && acceptCompletion(editor);
}
