/**
 * The mail in HTML that receivers send where their owner wrote none: what Alertmanager sends, so
 * that filters and eyes find what they are used to. Its look is of Mailgun's transactional e-mail
 * templates (MIT License, see NOTICE).
 */

const FONT = "font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; box-sizing: border-box;";
const TEXT = `${FONT} font-size: 14px;`;
const BASE = `margin: 0; ${TEXT}`;
const CELL = `${BASE} vertical-align: top;`;
const BLOCK = `${CELL} padding: 0 0 20px;`;

/** An opening tag with its style, and what it has before and after it. */
const tag = (name: string, style = BASE, before = '', after = '') =>
  `<${name}${before} style="${style}"${after}>`;

const LINK_STYLE = `${BASE} color: #348eda; text-decoration: underline;`;
const ROW = tag('tr');
const BLOCK_CELL = tag('td', BLOCK, ' class="content-block"', ' valign="top"');
const BREAK = tag('br');
const IN_4 = ' '.repeat(16);
const IN_5 = ' '.repeat(18);
const IN_6 = ' '.repeat(20);

/** A row of the inner table. */
const row = (...lines: readonly string[]) =>
  [
    `${IN_4}${ROW}`,
    `${IN_5}${BLOCK_CELL}`,
    ...lines.map((line) => IN_6 + line),
    `${IN_5}</td>`,
    `${IN_4}</tr>`,
    '',
  ].join('\n');

const strong = (text: string) => `${tag('strong')}${text}</strong>`;
const pairs = (which: string) =>
  `{{ range .${which}.SortedPairs }}{{ .Name }} = {{ .Value }}${BREAK}{{ end }}`;

const HEADING = (which: string) => row(strong(`[{{ .Alerts.${which} | len }}] ${which}`));
const ALERTS = (which: string) =>
  `${IN_4}{{ range .Alerts.${which} }}\n` +
  row(
    `${strong('Labels')}${BREAK}`,
    pairs('Labels'),
    `{{ if gt (len .Annotations) 0 }}${strong('Annotations')}${BREAK}{{ end }}`,
    pairs('Annotations'),
    `${tag('a', LINK_STYLE, ' href="{{ .GeneratorURL }}"')}Source</a>${BREAK}`,
  ) +
  `${IN_4}{{ end }}\n`;

const banner = (kind: string, color: string, end: string) =>
  `            ${tag(
    'td',
    `margin: 0; ${FONT} vertical-align: top; font-size: 16px; color: #fff; font-weight: 500; ` +
      `padding: 20px; text-align: center; border-radius: 3px 3px 0 0; background-color: ${color};`,
    ` class="alert alert-${kind}"`,
    ` valign="top" align="center" bgcolor="${color}"`,
  )}
              {{ .Alerts | len }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for ` +
  `{{ range .GroupLabels.SortedPairs }}
                {{ .Name }}={{ .Value }}${end}
              {{ end }}
            </td>
`;

const rule = (name: string, what: string) => `  ${name} {\n    ${what} !important;\n  }\n\n`;

const SMALL_SCREENS = `@media only screen and (max-width: 640px) {
  body {
    padding: 0 !important;
  }

  h1,
h2,
h3,
h4 {
    font-weight: 800 !important;
    margin: 20px 0 5px !important;
  }

${[22, 18, 16].map((size, i) => rule(`h${i + 1}`, `font-size: ${size}px`)).join('')}  .container {
    padding: 0 !important;
    width: 100% !important;
  }

${rule('.content', 'padding: 0')}${rule('.content-wrap', 'padding: 10px')}  .invoice {
    width: 100% !important;
  }
}
`;

const DOCTYPE =
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" ' +
  '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">';

const HEAD = `

${DOCTYPE}
${tag('html', BASE, ' xmlns="http://www.w3.org/1999/xhtml"')}
<head>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
<title>{{ template "__subject" . }}</title>
<style>
${SMALL_SCREENS}</style>
</head>

`;

const BODY_STYLE =
  `${BASE} -webkit-font-smoothing: antialiased; -webkit-text-size-adjust: none; height: 100%; ` +
  'line-height: 1.6em; background-color: #f6f6f6; width: 100%;';
const OUTER_STYLE =
  `${TEXT} vertical-align: top; display: block; max-width: 600px; ` +
  'margin: 0 auto; clear: both;';
const CONTENT_STYLE = `${TEXT} max-width: 600px; margin: 0 auto; display: block; padding: 20px;`;
const MAIN_STYLE = `${BASE} background-color: #fff; border: 1px solid #e9e9e9; border-radius: 3px;`;
const BUTTON_STYLE =
  `${BASE} text-decoration: none; color: #FFF; background-color: #348eda; ` +
  'border: solid #348eda; border-width: 10px 20px; line-height: 2em; font-weight: bold; ' +
  'text-align: center; cursor: pointer; display: inline-block; border-radius: 5px; ' +
  'text-transform: capitalize;';
const SIDE = `    ${tag('td', CELL, '', ' valign="top"')}</td>\n`;
const PLAIN_TABLE = ' width="100%" cellpadding="0" cellspacing="0"';

const OPENING = `${tag('body', BODY_STYLE, ' itemscope itemtype="http://schema.org/EmailMessage"')}

${tag(
  'table',
  `${BASE} background-color: #f6f6f6; width: 100%;`,
  ' class="body-wrap"',
  ' width="100%" bgcolor="#f6f6f6"',
)}
  ${ROW}
${SIDE}    ${tag('td', OUTER_STYLE, ' class="container" width="600"', ' valign="top"')}
      ${tag('div', CONTENT_STYLE, ' class="content"')}
        ${tag('table', MAIN_STYLE, ` class="main"${PLAIN_TABLE}`, ' bgcolor="#fff"')}
          ${ROW}
            {{ if gt (len .Alerts.Firing) 0 }}
${banner('warning', '#E6522C', '')}            {{ else }}
${banner('good', '#68B90F', ' ')}            {{ end }}
          </tr>
          ${ROW}
            ${tag('td', `${CELL} padding: 30px;`, ' class="content-wrap"', ' valign="top"')}
              ${tag('table', BASE, PLAIN_TABLE)}
`;

const BUTTON = row(
  `${tag('a', BUTTON_STYLE, ' href="{{ template "__alertmanagerURL" . }}" class="btn-primary"')}` +
    'View in {{ template "__alertmanager" . }}</a>',
);

const FIRING = `${IN_4}{{ if gt (len .Alerts.Firing) 0 }}
${HEADING('Firing')}${IN_4}{{ end }}
${ALERTS('Firing')}`;

const RESOLVED = `${IN_4}{{ if gt (len .Alerts.Resolved) 0 }}
${IN_5}{{ if gt (len .Alerts.Firing) 0 }}
${row(BREAK, tag('hr'), BREAK)}${IN_5}{{ end }}
${HEADING('Resolved')}${IN_4}{{ end }}
${ALERTS('Resolved')}`;

const FOOTER_STYLE = `${BASE} width: 100%; clear: both; color: #999; padding: 20px;`;
const FOOTER_CELL = tag(
  'td',
  `margin: 0; ${FONT} vertical-align: top; padding: 0 0 20px; text-align: center; ` +
    'color: #999; font-size: 12px;',
  ' class="aligncenter content-block"',
  ' valign="top" align="center"',
);
const FOOTER_LINK = tag(
  'a',
  `margin: 0; ${FONT} text-decoration: underline; color: #999; font-size: 12px;`,
  ' href="{{ .ExternalURL }}"',
);

const CLOSING = `              </table>
            </td>
          </tr>
        </table>

        ${tag('div', FOOTER_STYLE, ' class="footer"')}
          ${tag('table', BASE, ' width="100%"')}
            ${ROW}
              ${FOOTER_CELL}${FOOTER_LINK}Sent by {{ template "__alertmanager" . }}</a></td>
            </tr>
          </table>
        </div></div>
    </td>
${SIDE}  </tr>
</table>

</body>
</html>

`;

export const EMAIL_HTML = [HEAD, OPENING, BUTTON, FIRING, '\n', RESOLVED, CLOSING].join('');
