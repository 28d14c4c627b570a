/** Expected outputs are those of Go's fmt.Sprintf. */
import { expect, it } from 'vitest';
import { Labels } from '@tyto/model';
import { expandRuleTemplate } from '@tyto/alerting';

function printf(args: string): Promise<string> {
  const data = {
    labels: Labels.of({ job: 'api' }),
    value: 1234.5,
    externalLabels: Labels.empty,
    externalUrl: '',
    timeMs: 0,
  };
  const query = async () => {
    throw new Error('no query is expected');
  };
  return expandRuleTemplate(`{{ printf ${args} }}`, data, query);
}

it('printf prints whole numbers in all bases, with signs and zeros', async () => {
  const cases: [string, string][] = [
    ['"%d|%+d|% d|%5d|%-5d|%05d|%+05d" 42 42 42 42 42 42 42', '42|+42| 42|   42|42   |00042|+0042'],
    ['"%d %06d" -42 -42', '-42 -00042'],
    [
      '"%x %X %#x %o %O %b %c %q %U" 255 255 255 8 8 5 65 65 8364',
      "ff FF 0xff 10 0o10 101 A 'A' U+20AC",
    ],
    ['"%.4d" 42', '0042'],
    ['"%s %f" 5 5', '%!s(int=5) %!f(int=5)'],
    ['"%c" -1', '\ufffd'],
  ];
  for (const [args, output] of cases) expect(await printf(args), args).toBe(output);
});

it('printf prints floats', async () => {
  const cases: [string, string][] = [
    [
      '"%f %.2f %8.3f|%-8.1f|%08.2f" 3.14159 2.675 3.14159 2.0 -1.5',
      '3.141590 2.67    3.142|2.0     |-0001.50',
    ],
    ['"%e %E %.0e" 123456.789 0.00012 15.0', '1.234568e+05 1.200000E-04 2e+01'],
    ['"%g %G %.3g %g" 1e21 1e-7 1234.5 100000.0', '1e+21 1E-07 1.23e+03 100000'],
    ['"%v %v" 1e6 1.5', '1e+06 1.5'],
    ['"%d" 1.5', '%!d(float64=1.5)'],
    ['"%+.1f % .1f" 1.25 1.25', '+1.2  1.2'],
    ['"%.1f" 1e21', '1000000000000000000000.0'],
    ['"%*.*f" 8 2 3.14159', '    3.14'],
  ];
  for (const [args, output] of cases) expect(await printf(args), args).toBe(output);
});

it('printf prints texts, booleans, types, and arguments by number', async () => {
  const cases: [string, string][] = [
    [
      '"%s|%5s|%-5s|%.2s|%q|%x|%X" "ab" "ab" "ab" "abc" "a\\"b" "hi" "hi"',
      'ab|   ab|ab   |ab|"a\\"b"|6869|6869',
    ],
    ['"%5s|" "한글"', '   한글|'],
    ['"%t %v %d" true false true', 'true false %!d(bool=true)'],
    ['"%T %T %T %T" 1 1.5 "a" true', 'int float64 string bool'],
    ['"%[2]s %[1]s %s" "a" "b"', 'b a b'],
    ['"%s %s" "a"', 'a %!s(MISSING)'],
    ['"%s" "a" 2', 'a%!(EXTRA int=2)'],
    ['"%[3]d" 1', '%!d(BADINDEX)'],
    ['"%d%%" 50', '50%'],
    ['"%v %s" nil "x"', '<nil> x'],
  ];
  for (const [args, output] of cases) expect(await printf(args), args).toBe(output);
});

it('printf takes no width that would fill the memory', async () => {
  expect(await printf('"%999999999d" 1')).toBe('%!(BADWIDTH)1');
  expect(await printf('"%.999999999f" 1.0')).toBe('%!(BADPREC)1.000000');
});
