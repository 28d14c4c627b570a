/** The shape of a dictionary: English's keys, any text. A missing key does not compile. */

import type { en } from './en.ts';

type Widen<Value> = Value extends string
  ? string
  : Value extends (...parameters: infer Parameters) => string
    ? (...parameters: Parameters) => string
    : { readonly [Key in keyof Value]: Widen<Value[Key]> };

export type Dictionary = Widen<typeof en>;
