import { TytoError } from '@tyto/base';

/** A rule whose result cannot be used; the group goes on with its other rules. */
export class RuleError extends TytoError {
  constructor(message: string) {
    super('execution', message);
  }
}
