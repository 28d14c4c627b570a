/** The title and the icon of the browser tab; both carry the number of alerts that are loud. */

import { useEffect } from 'react';

const OWL =
  'M4 6c2.600.1 4.600.9 6.200 2 1.800-.7 3.700-1.100 5.800-1.100s4 .4 5.800 1.100c1.600-1.100 3.600-1.900 6.200-2 ' +
  '.9 2.500 1.100 5 1 7.300.2 8.300-5.200 14.500-13 16.500C8.200 27.800 2.800 21.600 3 13.300 2.900 11 3.100 8.500 4 6z';

export function usePageTitle(page: string, loudCount: number): void {
  useEffect(() => {
    document.title = `${loudCount > 0 ? `(${loudCount}) ` : ''}${page} · Tyto`;
    const link = document.querySelector<HTMLLinkElement>('#favicon');
    if (link !== null) link.href = `data:image/svg+xml,${encodeURIComponent(iconSvg(loudCount))}`;
  }, [page, loudCount]);
}

function iconSvg(loudCount: number): string {
  const eyes =
    '<circle cx="11" cy="15" r="3.200" fill="#fff"/><circle cx="21" cy="15" r="3.200" fill="#fff"/>' +
    '<circle cx="11" cy="15" r="1.500"/><circle cx="21" cy="15" r="1.500"/>';
  const head = `<path fill="#5b6fb5" d="${OWL}"/>`;
  const count = loudCount > 9 ? '9+' : String(loudCount);
  const badge =
    loudCount === 0
      ? ''
      : '<circle cx="22" cy="22" r="10" fill="#c62828"/><text x="22" y="27" font-size="14" ' +
        `font-family="sans-serif" font-weight="700" text-anchor="middle" fill="#fff">${count}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${head}${eyes}${badge}</svg>`;
}
