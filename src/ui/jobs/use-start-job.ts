/** Starts a purge or a prefetch, and goes to where it can be watched. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { say } from '../shell/announcements.ts';
import { titleOf } from './jobs.ts';

export function useStartJob() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (body: Schemas['JobSubmission']) => dataOf(api.POST('/api/v0/jobs', { body })),
    onSuccess: (job) => {
      say(`Started: ${titleOf(job)}`);
      queryClient.invalidateQueries({ queryKey: ['jobs'] });
      navigate(`/admin/jobs/${job.id}`);
    },
  });
}
