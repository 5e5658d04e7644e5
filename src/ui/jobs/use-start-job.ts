/** Starts a purge or a prefetch, and goes to where it can be watched. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { ApiError, describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { say } from '../shell/announcements.ts';
import { titleOf } from './jobs.ts';

export function useStartJob() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: (body: Schemas['JobSubmission']) => dataOf(api.POST('/api/v0/jobs', { body })),
    onSuccess: (job) => {
      say(`Started: ${titleOf(job)}`);
      queryClient.invalidateQueries({ queryKey: ['jobs'] });
      navigate(`/admin/jobs/${job.id}`);
    },
  });
  const field = start.error instanceof ApiError ? start.error.field : undefined;
  const words = start.isError ? describeError(start.error) : undefined;
  return {
    start: start.mutate,
    isStarting: start.isPending,
    /** What is wrong with one of these parameters; what is wrong with none of them is in `problem`. */
    errorOf: (name: string) => (field === `parameters.${name}` ? words : undefined),
    problemBeside: (...names: readonly string[]) =>
      names.some((name) => field === `parameters.${name}`) ? undefined : words,
  };
}
