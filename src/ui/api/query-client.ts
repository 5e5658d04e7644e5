/** What was read, kept for a while: each page asks anew when it is shown, and again after what changes it. */
import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './api-error.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 3_000,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && mayHeal(error),
    },
  },
});

function mayHeal({ status }: ApiError): boolean {
  return status === 0 || status === 502 || status === 503 || status === 504;
}
