/** Puts the application on the page. */

import { must } from '@tyto/base';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { applySettings } from './state/settings.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/pages.css';

applySettings();
createRoot(must(document.querySelector('#root'), 'index.html has a root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
