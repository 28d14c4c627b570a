import { expect, it } from 'vitest';
import { hideSecrets } from './secrets.ts';

it('covers what automatic responses are given, and not labels of the same name', () => {
  const text = `
prometheus: {global: {external_labels: {environment: production}}}
incidents:
  responses:
    - {name: clean, command: [/bin/clean], environment: {TOKEN: hidden, MODE: hidden}}
    - {name: ticket, webhook: 'https://tickets.test/hidden'}
`;
  const shown = hideSecrets(text);
  expect(shown).not.toContain('hidden');
  expect(shown).toContain('environment: production');
  expect(shown).toContain('command: [/bin/clean]');
});
