/** What went wrong, in words for the person at the screen. */
export class ApiError extends Error {
  /** HTTP's, or 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  /** The field of the form that is wrong, if it is one. */
  readonly field: string | undefined;
  /** To look for in the server's log. */
  readonly requestId: string | undefined;

  private constructor(status: number, code: string, message: string, detail: Record<string, unknown> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.field = typeof detail.field === 'string' ? detail.field : undefined;
    this.requestId = typeof detail.requestId === 'string' ? detail.requestId : undefined;
  }

  static of(response: Response, body: unknown): ApiError {
    const first = firstError(body);
    if (first === undefined) {
      return new ApiError(response.status, 'UNKNOWN', `The server answered ${response.status}.`);
    }
    return new ApiError(response.status, first.code, first.message, first.detail);
  }

  static unreachable(cause: unknown): ApiError {
    const error = new ApiError(0, 'UNREACHABLE', 'The server cannot be reached. Check your connection.');
    error.cause = cause;
    return error;
  }
}

/** One sentence that a person can act on. */
export function describeError(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong in this page. Reload it and try again.';
  switch (error.code) {
    case 'NOT_AUTHORIZED':
      return 'You may not do this. Ask an owner or an admin.';
    case 'PRECONDITION_FAILED':
      return 'Somebody else changed it meanwhile. Reload to see it as it is now.';
    case 'INTERNAL_ERROR':
      return `The server failed. An admin finds the reason in its log${error.requestId ? `, request ${error.requestId}` : ''}.`;
    default:
      return sentence(error.field ? error.message.replace(`${error.field}: `, '') : error.message);
  }
}

/** What went wrong in a form: beside the field that it is about, or, where it is about none of these, as its `problem`. */
export function formErrors<F extends string>(
  error: unknown,
  fields: readonly F[],
): { errorOf: (field: F) => string | undefined; problem: string | undefined } {
  const words = error === null ? undefined : describeError(error);
  const wrong = error instanceof ApiError ? error.field : undefined;
  return {
    errorOf: (field) => (field === wrong ? words : undefined),
    problem: fields.some((field) => field === wrong) ? undefined : words,
  };
}

function sentence(message: string): string {
  const capital = /^https?:/.test(message) ? message : message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

interface FirstError {
  readonly code: string;
  readonly message: string;
  readonly detail?: Record<string, unknown>;
}

/** The contract's `Errors`, if the answer is one: a proxy may have answered instead. */
function firstError(body: unknown): FirstError | undefined {
  if (typeof body !== 'object' || body === null || !('errors' in body) || !Array.isArray(body.errors)) {
    return undefined;
  }
  return body.errors[0] as FirstError | undefined;
}
