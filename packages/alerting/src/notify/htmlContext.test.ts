import { describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { NotifyTemplates } from '@tyto/alerting';

const templates = new NotifyTemplates([], new ManualClock(0));
/** What `x` becomes in the place of `{{.}}`. */
const at = (place: string, x: string) => templates.expand(place.replace('.', '.x'), xOf(x), true);
const xOf = (x: string) => new Map([['x', x]]);

describe('what an action prints in HTML', () => {
  // Expected is what html/template of Go 1.22 gives for the same texts.
  it('is escaped for text and for attributes', () => {
    const hostile = `O'Reilly: <a href="x">1 + 1 & 2</a>`;
    const escaped = 'O&#39;Reilly: &lt;a href=&#34;x&#34;&gt;1 &#43; 1 &amp; 2&lt;/a&gt;';
    expect(at('<p>{{.}}</p>', hostile)).toBe(`<p>${escaped}</p>`);
    expect(at('<title>{{.}}</title>', hostile)).toBe(`<title>${escaped}</title>`);
    expect(at('<p title="{{.}}">', hostile)).toBe(`<p title="${escaped}">`);
    expect(at("<p title='{{.}}'>", hostile)).toBe(`<p title='${escaped}'>`);
    expect(at('<p title={{.}}>', 'a b=c')).toBe('<p title=a&#32;b&#61;c>');
  });

  it('is a harmless address, or none', () => {
    expect(at('<a href="{{.}}">', 'javascript:alert(1)')).toBe('<a href="#ZgotmplZ">');
    expect(at('<a href="{{.}}">', ' JaVaScript:x')).toBe('<a href="#ZgotmplZ">');
    expect(at('<a href="{{.}}">', 'http://x/a b?c=d&e=<>')).toBe(
      '<a href="http://x/a%20b?c=d&amp;e=%3c%3e">',
    );
    expect(at('<a href="{{.}}">', 'mailto:a@b.c')).toBe('<a href="mailto:a@b.c">');
    expect(at('<a href="/p?q={{.}}">', 'a&b=한')).toBe('<a href="/p?q=a%26b%3d%ed%95%9c">');
    expect(at('<img src="{{.}}">', 'data:text/html,x')).toBe('<img src="#ZgotmplZ">');
    expect(at('<a href="{{. | safeUrl}}">', 'tel:+82')).toBe('<a href="tel:&#43;82">');
    expect(at('<a href="/?q={{. | urlquery}}">', 'a b')).toBe('<a href="/?q=a&#43;b">');
  });

  it('cannot end a script or a style, nor begin an attribute', () => {
    expect(at('<script>var a = {{.}};</script>', '</script>')).toBe(
      '<script>var a = "\\u003c/script\\u003e";</script>',
    );
    expect(at('<p style="color: {{.}}">', 'red')).toBe('<p style="color: red">');
    expect(at('<p style="color: {{.}}">', 'red; x: url(y)')).toBe('<p style="color: ZgotmplZ">');
    expect(at('<p {{.}}="x">', 'onclick')).toBe('<p onclick="x">');
    expect(at('<p {{.}}>', 'a onclick=x')).toBe('<p ZgotmplZ>');
  });

  it('is left as it is where somebody vouches for it, and out in comments', () => {
    expect(at('<p>{{. | safeHtml}}</p>', '<b>')).toBe('<p><b></p>');
    expect(at('a<!-- {{.}} -->b', '--><b>')).toBe('ab');
    expect(at('{{. | html}}', '<')).toBe('&lt;');
  });
});
