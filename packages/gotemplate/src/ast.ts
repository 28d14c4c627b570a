/** The syntax tree of a template. */

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | { readonly kind: 'if' | 'with'; readonly branch: Branch }
  | { readonly kind: 'range'; readonly branch: Branch }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined }
  | { readonly kind: 'break' | 'continue' };

export interface Branch {
  readonly pipe: Pipe;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** Commands that feed each other; the last one's value goes to the variables, where there are any. */
export interface Pipe {
  readonly variables: readonly string[];
  /** `=` sets a variable that exists, `:=` declares one. */
  readonly declares: boolean;
  readonly commands: readonly Command[];
}

/** An operand, and its arguments when it is called. */
export interface Command {
  readonly operands: readonly Operand[];
}

export type Operand =
  | { readonly kind: 'dot' }
  | { readonly kind: 'nil' }
  | { readonly kind: 'literal'; readonly value: string | boolean | TemplateNumber }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'fields'; readonly base: Operand; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe };

/** Go tells whole numbers from floats: `{{ 1 }}` prints 1, `{{ 1.0 }}` is a float that prints 1. */
export interface TemplateNumber {
  readonly number: number;
  readonly isFloat: boolean;
}

/** Named templates; '' is the outermost one. */
export type TemplateSet = Map<string, readonly Node[]>;
