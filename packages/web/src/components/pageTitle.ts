/** The title and the icon of the browser tab; both carry the number of alerts that are loud. */

import { useEffect } from 'react';
import { OWL_FACE, OWL_HEAD } from './owl.ts';

export function usePageTitle(page: string, loudCount: number): void {
  useEffect(() => {
    document.title = `${loudCount > 0 ? `(${loudCount}) ` : ''}${page} · Tyto`;
    const link = document.querySelector<HTMLLinkElement>('#favicon');
    if (link !== null) link.href = `data:image/svg+xml,${encodeURIComponent(iconSvg(loudCount))}`;
  }, [page, loudCount]);
}

function iconSvg(loudCount: number): string {
  const count = loudCount > 9 ? '9+' : String(loudCount);
  const badge = [
    '<circle cx="22" cy="22" r="10" fill="#c62828"/>',
    '<text x="22" y="27" font-size="14" font-family="sans-serif" font-weight="700"',
    ` text-anchor="middle" fill="#fff">${count}</text>`,
  ];
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">',
    `<path fill="#5b6fb5" d="${OWL_HEAD}"/><path fill="#fff" d="${OWL_FACE}"/>`,
    '<circle cx="11.3" cy="16" r="2.3"/><circle cx="20.7" cy="16" r="2.3"/>',
    ...(loudCount === 0 ? [] : badge),
    '</svg>',
  ].join('');
}
