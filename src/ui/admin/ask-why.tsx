/** "Why would this pull go where?" */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api/api-error.ts';
import { Button } from '../components/button.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Card, Section } from '../components/layout.tsx';
import { Problem } from '../components/states.tsx';
import { Explanation, explanationQuery } from '../content-caches/explanation.tsx';
import styles from './admin.module.css';

export function AskWhy() {
  const [username, setUsername] = useState('');
  const [address, setAddress] = useState('');
  const [repository, setRepository] = useState('');
  const [asked, setAsked] = useState<{ username: string; address: string; repository: string }>();
  const answer = useQuery({
    ...explanationQuery({
      username: asked?.username ?? '',
      repository: asked?.repository ?? '',
      ...(asked?.address && { address: asked.address }),
    }),
    enabled: asked !== undefined,
    staleTime: 0,
  });
  return (
    <Section title="Where would a pull go?" text="As rules, settings and the health of the caches are now.">
      <Form
        onSubmit={() =>
          setAsked({ username: username.trim(), address: address.trim(), repository: repository.trim() })
        }
      >
        <div className={styles.filters}>
          <TextField label="User" value={username} onText={setUsername} placeholder="nobody in particular" />
          <TextField
            label="From the address"
            value={address}
            onText={setAddress}
            placeholder="as this browser"
          />
          <TextField label="Repository" value={repository} onText={setRepository} placeholder="acme/web" />
        </div>
        <div>
          <Button type="submit" small disabled={repository.trim() === ''} busy={answer.isFetching}>
            Ask
          </Button>
        </div>
      </Form>
      <div role="status">
        {answer.isError && <Problem>{describeError(answer.error)}</Problem>}
        {answer.data && (
          <Card>
            <h3>
              To {answer.data.contentCache === undefined ? location.host : answer.data.contentCache.name}
              {answer.data.contentCache === undefined && ' itself'}
            </h3>
            <Explanation explanation={answer.data} />
          </Card>
        )}
      </div>
    </Section>
  );
}
