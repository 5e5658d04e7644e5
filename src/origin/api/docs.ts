/** The interactive API docs at `/docs/api/`: Swagger UI, served from here alone. */
import { Router } from 'express';
import helmet from 'helmet';
import { serve, setup } from 'swagger-ui-express';

export function createDocs(contract: object): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  // Without the slash, the page's relative links would point beside it.
  routes.get('/docs/api', (_request, response) => response.redirect(308, '/docs/api/'));
  routes.use(
    '/docs/api/',
    helmet.contentSecurityPolicy({
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
    }),
    serve,
    setup(contract, {
      customSiteTitle: 'DTR API docs',
      // Hides the bar that loads a description from anywhere.
      explorer: false,
      swaggerOptions: {
        queryConfigEnabled: false,
        persistAuthorization: false,
        validatorUrl: null,
        displayRequestDuration: true,
      },
    }),
  );
  return routes;
}
