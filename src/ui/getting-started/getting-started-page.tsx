/** From nothing to the first pull through a cache, step by step; each is noticed when it has happened. */
import { Check } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { EditContentCache } from '../admin/edit-content-cache.tsx';
import { Command, Time } from '../components/bits.tsx';
import { Button, LinkButton } from '../components/button.tsx';
import { Card, Page } from '../components/layout.tsx';
import { Failed, Loading } from '../components/states.tsx';
import { PullRoute } from '../content-caches/pull-route.tsx';
import { useAccount } from '../session/session.ts';
import styles from './getting-started.module.css';
import { keepLeading } from './progress.ts';
import { type Progress, useProgress } from './use-steps.ts';

export function GettingStartedPage() {
  const account = useAccount();
  const navigate = useNavigate();
  const { progress, error, retry } = useProgress(account.name);
  useEffect(() => keepLeading(account.id, 'begun'), [account.id]);
  const dismiss = () => {
    keepLeading(account.id, 'dismissed');
    navigate('/repositories');
  };
  return (
    <Page
      name="Getting started"
      title="Your first pull through a cache"
      lead="Five steps. This page notices by itself when each is done."
      actions={<Button onClick={dismiss}>Hide this</Button>}
    >
      {error !== undefined && progress === undefined && <Failed error={error} onRetry={retry} />}
      {error === undefined && progress === undefined && <Loading rows={5} />}
      {progress && (
        <div className={styles.frame}>
          <Steps progress={progress} username={account.name} onDone={dismiss} />
          <aside className={styles.aside} aria-label="The way of your pulls">
            <h2 className={styles.asideTitle}>The way of your pulls</h2>
            <Card>
              <PullRoute to={progress.chosen ?? 'origin'} />
            </Card>
          </aside>
        </div>
      )}
    </Page>
  );
}

interface Step {
  readonly title: string;
  readonly isDone: boolean;
  /** What is said of it once it is done. */
  readonly done: ReactNode;
  readonly doing: ReactNode;
}

function Steps({ progress, username, onDone }: { progress: Progress; username: string; onDone: () => void }) {
  const steps = stepsOf(progress, username);
  const current = steps.findIndex(({ isDone }) => !isDone);
  return (
    <div>
      <ol className={styles.steps}>
        {steps.map((step, index) => {
          const state = step.isDone ? 'done' : index === current ? 'current' : 'later';
          return (
            <li
              key={step.title}
              className={styles.step}
              data-state={state}
              aria-current={state === 'current' ? 'step' : undefined}
            >
              <span className={styles.sign} aria-hidden="true">
                {step.isDone ? <Check size={16} strokeWidth={2.5} /> : index + 1}
              </span>
              <div className={styles.body}>
                <h2 className={styles.title}>
                  {step.title}
                  {step.isDone && <span className="visually-hidden">, done</span>}
                </h2>
                {step.isDone && <div className={styles.text}>{step.done}</div>}
                {state === 'current' && <div className={styles.doing}>{step.doing}</div>}
              </div>
            </li>
          );
        })}
      </ol>
      <div role="status">
        {current === -1 && (
          <div className={styles.finish}>
            <h2>It works</h2>
            <p>
              The image came from {progress.chosen?.name}. Every layer of the pull is one line in that cache’s
              log; the next pull near it crosses no ocean.
            </p>
            <Button kind="primary" onClick={onDone}>
              Go to the repositories
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

function stepsOf({ caches, chosen, signedInAt, pushed, pulled, served }: Progress, username: string): Step[] {
  const { host } = location;
  const image =
    pushed === undefined ? `${host}/${username}/app` : `${host}/${pushed.namespace}/${pushed.name}`;
  const first = caches[0];
  return [
    {
      title: 'Register a content cache',
      isDone: first !== undefined,
      done:
        caches.length === 1 ? `${first?.name} at ${first?.host}` : `${caches.length} caches are registered.`,
      doing: <RegisterCache />,
    },
    {
      title: 'Choose it for your pulls',
      isDone: chosen !== undefined,
      done: `Your pulls use ${chosen?.name}.`,
      doing: (
        <>
          <p className={styles.text}>In the settings of your profile, under Content Cache.</p>
          <div>
            <LinkButton kind="primary" to={`/users/${username}/settings`}>
              Choose a cache
            </LinkButton>
          </div>
        </>
      ),
    },
    {
      title: 'Sign in with docker',
      isDone: signedInAt !== undefined || pushed !== undefined,
      done:
        signedInAt === undefined ? (
          'Done.'
        ) : (
          <>
            Signed in <Time at={signedInAt} />.
          </>
        ),
      doing: (
        <>
          <p className={styles.text}>On your own machine, with the password that you use here.</p>
          <TrustCa />
          <Command text={`docker login -u ${username} ${host}`} />
          <p className={styles.waiting}>Waiting for docker to sign in</p>
        </>
      ),
    },
    {
      title: 'Push an image',
      isDone: pushed !== undefined,
      done: pushed && `${pushed.namespace}/${pushed.name} is here. Pushes always go to the registry itself.`,
      doing: (
        <>
          <p className={styles.text}>
            Any image that you have: <code>docker image ls</code> shows them.
          </p>
          <Command text={`docker tag <image> ${image}:1`} />
          <Command text={`docker push ${image}:1`} />
          <p className={styles.waiting}>Waiting for the first push</p>
        </>
      ),
    },
    {
      title: 'Pull it through the cache',
      isDone: served !== undefined,
      done: `${chosen?.name} gave the layers of ${served}.`,
      doing: (
        <>
          <p className={styles.text}>
            Remove the image from your machine first, or docker has nothing to fetch.
          </p>
          <Command text={`docker image rm ${image}:1`} />
          <Command text={`docker pull ${image}:1`} />
          <p className={styles.waiting}>
            {pulled === undefined
              ? 'Waiting for the first pull'
              : `Pulled. Whether ${chosen?.name} gave the layers is known within seconds, or a minute if it is busy`}
          </p>
        </>
      ),
    },
  ];
}

function RegisterCache() {
  const [adding, setAdding] = useState(false);
  return (
    <>
      <p className={styles.text}>
        Start one on a machine near the people who pull, then tell the registry where it is. To try it, one on
        this machine is enough.
      </p>
      <div>
        <Button kind="primary" onClick={() => setAdding(true)}>
          Add a cache
        </Button>
      </div>
      <EditContentCache open={adding} onClose={() => setAdding(false)} />
    </>
  );
}

/** Docker trusts its own machine without; elsewhere it must be told of a CA that nobody knows. */
function TrustCa() {
  const isOwnMachine = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  if (location.protocol !== 'https:' || isOwnMachine) return null;
  const directory = `/etc/docker/certs.d/${location.host}`;
  return (
    <>
      <p className={styles.text}>
        If this registry’s certificate is of its own CA, let docker trust it once:
      </p>
      <Command
        text={`sudo mkdir -p ${directory} && sudo curl -k -o ${directory}/ca.crt ${location.origin}/ca`}
      />
    </>
  );
}
