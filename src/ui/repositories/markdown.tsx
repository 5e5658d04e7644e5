/** A repository's long description. Its HTML is shown as text, and its pictures as links: no other host is asked. */
import ReactMarkdown from 'react-markdown';
import styles from './repositories.module.css';

export function Markdown({ text }: { text: string }) {
  return (
    <div className={styles.markdown}>
      <ReactMarkdown
        components={{
          a: ({ href, children }) => (
            <a href={href} rel="noreferrer nofollow">
              {children}
            </a>
          ),
          img: ({ src, alt }) => (
            <a href={typeof src === 'string' ? src : undefined} rel="noreferrer nofollow">
              {alt || 'picture'}
            </a>
          ),
          // The page has its own first and second heading.
          h1: ({ children }) => <h3>{children}</h3>,
          h2: ({ children }) => <h3>{children}</h3>,
        }}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
