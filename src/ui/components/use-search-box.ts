/** What is typed to search for, and what is searched for: in the address, once the typing pauses. */
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { useDebounced } from './use-debounced.ts';

export function useSearchBox(): { typed: string; type: (text: string) => void; query: string } {
  const [search, setSearch] = useSearchParams();
  const [typed, type] = useState(search.get('query') ?? '');
  const settled = useDebounced(typed.trim(), 200);
  const query = search.get('query') ?? '';
  useEffect(() => {
    if (settled === query) return;
    // Another search has other pages: it begins at the first.
    setSearch(
      (params) => {
        params.delete('start');
        if (settled === '') params.delete('query');
        else params.set('query', settled);
        return params;
      },
      { replace: true },
    );
  }, [settled, query, setSearch]);
  return { typed, type, query };
}
