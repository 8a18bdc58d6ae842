import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { until } from './until.js';

/** A mail that has arrived. */
export interface ReceivedMail {
  to: string[];
  subject: string;
  body: string;
}

/** A real SMTP server on a free port of this machine, which keeps what it is given. Encryption is left to the tests of nodemailer. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  private refusals = 0;
  private readonly server: SMTPServer;

  private constructor() {
    this.server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onMailFrom: (_address, _session, done) => {
        this.refusals -= 1;
        done(this.refusals >= 0 ? Object.assign(new Error('Try again later'), { responseCode: 451 }) : null);
      },
      onData: (stream, session, done) => {
        text(stream).then(
          (raw) => {
            this.mails.push(
              parse(
                raw,
                session.envelope.rcptTo.map(({ address }) => address),
              ),
            );
            done();
          },
          (error: unknown) => {
            done(error as Error);
          },
        );
      },
    });
  }

  static async start(): Promise<MailServer> {
    const mails = new MailServer();
    await new Promise<void>((resolve, reject) => {
      mails.server.once('error', reject);
      mails.server.listen(0, '127.0.0.1', resolve);
    });
    mails.server.removeAllListeners('error');
    mails.server.on('error', () => undefined);
    return mails;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  /** Refuses the next mails for the time being, as a busy mail server does. */
  refuseNext(times: number): void {
    this.refusals = times;
  }

  /** The newest mail to that address, once there are `count` of them. */
  async to(address: string, count = 1): Promise<ReceivedMail> {
    const those = (): ReceivedMail[] => this.mails.filter((mail) => mail.to.includes(address));
    await until(() => those().length >= count, 20_000);
    const last = those().at(-1);
    if (!last) throw new Error(`No mail to ${address}`);
    return last;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(resolve);
    });
  }
}

/** What stands behind the # of the link in a mail. */
export function tokenIn(mail: ReceivedMail): string {
  const token = /#(hithe_[\w-]+)/.exec(mail.body)?.[1];
  if (token === undefined) throw new Error(`No link in: ${mail.body}`);
  return token;
}

function parse(raw: string, to: string[]): ReceivedMail {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(head)?.[1]?.replaceAll(/\r\n[ \t]+/g, ' ') ?? '';
  const body = rest.join('\r\n\r\n').replaceAll('=\r\n', '').replaceAll('=3D', '=');
  return { to, subject, body };
}
