import { type Mail, inOneLine } from '../../mail/mail.js';

const IGNORE = 'If you did not ask for this, you can ignore this mail: nothing changes.';

/** What stands under a link, for whoever has a terminal rather than a page of the dashboard. */
function orInTerminal(command: string, link: string): string {
  return `Or give it to the command line tool, which asks for it:\n\n  ${command} --server ${new URL(link).origin}`;
}

/** The link with which somebody chooses a new password. */
export function resetMail(to: string, link: string): Mail {
  return {
    to,
    subject: 'Choose a new password',
    text: `Open this link within an hour to choose a new password for ${to}:\n\n${link}\n\n${orInTerminal('hithe password reset', link)}\n\nIt works once and ends all your sessions. ${IGNORE}\n`,
  };
}

/** The link that shows that an address belongs to whoever signed up with it. */
export function signUpMail(to: string, link: string): Mail {
  return {
    to,
    subject: 'Confirm your address',
    text: `Open this link within a day, and enter the password that you chose, to open your account for ${to}:\n\n${link}\n\n${IGNORE}\n`,
  };
}

/** Sent instead of the above to somebody who has an account, so that nobody learns from the answer who has one. */
export function alreadySignedUpMail(to: string, publicUrl: string): Mail {
  return {
    to,
    subject: 'You have an account already',
    text: `Somebody asked for an account for ${to}, but there is one. Log in at ${publicUrl}, where you can also reset your password. ${IGNORE}\n`,
  };
}

/** The link with which somebody joins. */
export function invitationMail(to: string, invitation: { link: string; by: string; team?: string; expiresAt: Date }): Mail {
  const where = invitation.team === undefined ? 'Hithe' : `the team "${inOneLine(invitation.team)}" on Hithe`;
  return {
    to,
    subject: `Invitation to ${where}`,
    text: `${inOneLine(invitation.by)} invites you to ${where}. Open this link until ${invitation.expiresAt.toUTCString()}:\n\n${invitation.link}\n\n${orInTerminal('hithe invitations accept --new-account', invitation.link)}\n\nIt works once. If you do not know what this is about, ignore this mail.\n`,
  };
}

/** Tells the owner of an account that its password was changed, in case it was not them. */
export function passwordChangedMail(to: string, publicUrl: string): Mail {
  return {
    to,
    subject: 'Your password was changed',
    text: `The password of ${to} on ${publicUrl} was changed, and other sessions have ended. If it was not you, reset it there now and tell an administrator.\n`,
  };
}
