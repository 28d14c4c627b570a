/** Which page stands where. Pages but the home page are loaded when they are first opened. */

import { lazy, type ReactNode, Suspense } from 'react';
import { EmptyState, Link, Skeleton } from './components/basics.tsx';
import { ErrorBoundary } from './components/ErrorBoundary.tsx';
import { type PageId, Shell } from './components/Shell.tsx';
import { useText } from './i18n/useText.ts';
import { HomePage } from './pages/HomePage.tsx';
import { useLocation } from './state/router.ts';

const QueryPage = lazy(async () => ({
  default: (await import('./pages/QueryPage.tsx')).QueryPage,
}));
const TargetsPage = lazy(async () => ({
  default: (await import('./pages/TargetsPage.tsx')).TargetsPage,
}));
const AlertsPage = lazy(async () => ({
  default: (await import('./pages/AlertsPage.tsx')).AlertsPage,
}));
const StatusPage = lazy(async () => ({
  default: (await import('./pages/StatusPage.tsx')).StatusPage,
}));

/** Other names under which Prometheus and Alertmanager link to a page. */
const PAGE_IDS: Readonly<Record<string, PageId>> = {
  '': 'home',
  query: 'query',
  graph: 'query',
  targets: 'targets',
  alerts: 'alerts',
  rules: 'alerts',
  status: 'status',
};

const PAGES: Readonly<Record<PageId, () => ReactNode>> = {
  home: () => <HomePage />,
  query: () => <QueryPage />,
  targets: () => <TargetsPage />,
  alerts: () => <AlertsPage />,
  status: () => <StatusPage />,
};

export function App() {
  const text = useText();
  const { path } = useLocation();
  const page = PAGE_IDS[path];
  const title = page === undefined ? text.errors.notFound : text.shell[page];
  return (
    <Shell page={page} title={title}>
      <ErrorBoundary resetKey={path}>
        <Suspense fallback={<Skeleton lines={8} />}>
          {page === undefined ? <NotFoundPage path={path} /> : PAGES[page]()}
        </Suspense>
      </ErrorBoundary>
    </Shell>
  );
}

function NotFoundPage({ path }: { path: string }) {
  const text = useText();
  return (
    <EmptyState icon="unknown" title={text.errors.notFound}>
      <p>{text.errors.notFoundDetail(`/${path}`)}</p>
      <Link to="" className="button">
        {text.errors.goHome}
      </Link>
    </EmptyState>
  );
}
