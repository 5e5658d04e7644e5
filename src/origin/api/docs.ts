/** The interactive API docs at `/docs/api/`: Swagger UI and the contract itself, served from here alone. */
import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import { generateHTML, serveFiles } from 'swagger-ui-express';
import type { Contract } from './openapi.ts';

/** What the page loads. Its package holds more: source maps, and a demo page that points to another site. */
const pageFiles = new Set([
  '/favicon-16x16.png',
  '/favicon-32x32.png',
  '/swagger-ui-bundle.js',
  '/swagger-ui-init.js',
  '/swagger-ui-standalone-preset.js',
  '/swagger-ui.css',
]);

const swaggerUi = {
  customSiteTitle: 'DTR API docs',
  // There is nothing to choose from: the only server is this origin.
  customCss: `
    .swagger-ui .scheme-container .schemes > .schemes-server-container { display: none }
    .swagger-ui .scheme-container .schemes { justify-content: end }
    @media (max-width: 40rem) {
      .swagger-ui .opblock-tag { flex-wrap: wrap }
      .swagger-ui .opblock-tag small { flex: 1 0 100%; order: 1; padding: 0 }
    }`,
  swaggerOptions: {
    // Said here, or else the page would load whatever description its own address names as ?url=.
    url: './openapi.json',
    queryConfigEnabled: false,
    validatorUrl: null,
    // The bar above the page would offer to load a description from anywhere.
    layout: 'BaseLayout',
    persistAuthorization: false,
    // With all operations open, the page would take seconds for each click.
    docExpansion: 'none',
    deepLinking: true,
    displayRequestDuration: true,
    requestInterceptor: addCsrfToken,
  },
};

/** What the template leaves out: phones need not pretend to be wide, and the theme is that of the web UI. */
const head = `
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <script src="./theme.js"></script>`;

const themeScript = `const system = matchMedia('(prefers-color-scheme: dark)');
function show() {
  const kept = localStorage.getItem('theme');
  const isDark = kept === 'dark' || (kept === null && system.matches);
  document.documentElement.classList.toggle('dark-mode', isDark);
}
system.addEventListener('change', show);
show();
`;

interface PageRequest {
  readonly method?: string;
  readonly headers: Record<string, string>;
}

/**
 * Runs in the page, which gets its text: whoever is signed in to the web UI tries things out as themselves, and what changes
 * something must say that it comes from here.
 */
async function addCsrfToken(request: PageRequest): Promise<PageRequest> {
  const reads = /^(?:GET|HEAD)$/i.test(request.method ?? 'GET');
  if (reads || request.headers.Authorization !== undefined) return request;
  const session = await fetch('/api/v0/session');
  if (session.ok) {
    const { csrfToken } = (await session.json()) as { csrfToken: string };
    request.headers['X-CSRF-Token'] = csrfToken;
  }
  return request;
}

export function createDocs(contract: Contract): Router {
  const json = JSON.stringify(contract.document);
  const page = generateHTML(undefined, swaggerUi).replace('<head>', `<head>${head}`);
  const routes = Router({ caseSensitive: true, strict: true });
  // Without the slash, the page's relative links would point beside it.
  routes.get('/docs/api', (_request, response) => response.redirect(308, '/docs/api/'));
  routes.get('/docs/api/openapi.json', (_request, response) => {
    response.type('application/json').send(json);
  });
  routes.get('/docs/api/openapi.yaml', (_request, response) => {
    response.type('application/yaml').send(contract.yaml);
  });
  routes.get('/docs/api/theme.js', (_request, response) => {
    response.type('text/javascript').send(themeScript);
  });
  routes.get('/docs/api/', contentSecurityPolicy, (_request, response) => {
    response.type('text/html').send(page);
  });
  routes.use('/docs/api', onlyPageFiles, serveFiles(undefined, swaggerUi));
  return routes;
}

const contentSecurityPolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    // Swagger UI styles its elements inline.
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

const onlyPageFiles: RequestHandler = (request, _response, next) => {
  next(pageFiles.has(request.path) ? undefined : 'router');
};
