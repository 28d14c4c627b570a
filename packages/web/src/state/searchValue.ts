/** A value that lives in the address, so that a filtered page can be shared and reloaded. */

import { currentLocation, navigate, useLocation } from './router.ts';

export function useSearchValue(name: string): [value: string, set: (value: string) => void] {
  const { search } = useLocation();
  const value = new URLSearchParams(search).get(name) ?? '';
  return [value, (next) => setSearchValue(name, next)];
}

function setSearchValue(name: string, value: string): void {
  const { path, search } = currentLocation();
  const parameters = new URLSearchParams(search);
  if (value === '') parameters.delete(name);
  else parameters.set(name, value);
  const text = parameters.toString();
  navigate(`${path}${text === '' ? '' : `?${text}`}`, { replace: true });
}
