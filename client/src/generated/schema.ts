// Generated from openapi.json by client/generate.mjs; do not edit.
export interface paths {
    "/api/v1/audit/archives": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List archives of the audit log
         * @description Every segment that has left the database.
         */
        get: operations["listAuditArchives"];
        put?: never;
        /**
         * Archive the oldest audit events
         * @description Writes every event before a moment into a signed file, reads it back, and only then removes them from the database. Events that a stream has not had yet stay.
         */
        post: operations["createAuditArchive"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List audit events
         * @description Newest first. Owners, admins and auditors see the events of their teams, developers what they did themselves there, platform administrators those that belong to no team.
         */
        get: operations["listAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/events/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show an audit event
         * @description With what was before and after it.
         */
        get: operations["getAuditEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export audit events
         * @description Oldest first, of any length, as JSON lines (each with what its hash was made of) or CSV. The export itself is an event. docs/audit.md says how to check it without this server.
         */
        get: operations["exportAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/follow": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow the audit log
         * @description Server-sent events: each event that passes the filters, from now on or after `Last-Event-ID`, without a gap.
         */
        get: operations["followAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the keys of the audit log
         * @description Public keys of signed heads and archives. Keep them, and heads, where this platform cannot reach them.
         */
        get: operations["getAuditKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove the audit log
         * @description Makes every hash again, follows the chain across archives, and compares it with every head that was ever signed, those in the body too. Takes a while for a long log. Is itself an event.
         */
        post: operations["verifyAudit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept an invitation with a new account
         * @description Opens an account for the invited address, joins the team, and logs in. An address that has an account logs in and accepts as itself.
         */
        post: operations["acceptInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/invitations/lookup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read an invitation
         * @description Who invites to what; for whoever holds the link.
         */
        post: operations["lookUpInvitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the public keys
         * @description A JSON Web Key Set (RFC 7517) of all keys whose access tokens are good now. Look again when a token names a key that is not in it.
         */
        get: operations["getJwks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in
         * @description Opens a session with address and password; whoever has a second factor gets a challenge instead, and sends it back with a proof. After five failures in a quarter of an hour the pair of account and address has to wait.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finish a log-in with a second factor
         * @description Takes the challenge of a log-in and one proof: a code of the authenticator app, a recovery code or a passkey. Five wrong ones end the log-in; a code that was used is wrong.
         */
        post: operations["loginWithSecondFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login/second-factor/passkey-options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask what a passkey has to sign as second factor
         * @description For a log-in whose challenge names the method `passkey`. What is signed works once, for five minutes.
         */
        post: operations["getSecondFactorPasskeyOptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out
         * @description Ends the session of a refresh token; its access tokens stop working at once. An unknown token is no error.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/oidc/authorizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin a log-in at the OIDC provider
         * @description Gives the address to open in a browser. It comes back with a one-time code, with which you fetch the result; no token is ever in an address.
         */
        post: operations["beginOidc"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/oidc/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Come back from the OIDC provider
         * @description For browsers. Sends them on to whoever began, with a one-time code or `error`, or shows the code.
         */
        get: operations["oidcCallback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/oidc/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out, here and at the OIDC provider
         * @description Ends the session of a refresh token, and says where the browser ends the provider's session too.
         */
        post: operations["logoutWithOidc"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/oidc/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finish a log-in at the OIDC provider
         * @description Exchanges the code for a session. The account is the one that the identity is linked to, or a new one where sign-up is open. An account with a second factor is asked for it, unless the provider has asked for one.
         */
        post: operations["loginWithOidc"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show how people get in
         * @description What a log-in page has to offer.
         */
        get: operations["getAuthOptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/passkeys/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask what a passkey has to sign to log in
         * @description For a log-in without address and password. What is signed works once, for five minutes.
         */
        post: operations["getPasskeyLoginOptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/passkeys/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in with a passkey
         * @description Opens a session for the owner of the passkey. It stands for both factors: the device, and the finger or PIN that unlocked it.
         */
        post: operations["loginWithPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password-reset/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reset a password
         * @description Sets the password of the user whose link this is, and ends all their sessions. A second factor stays as it is.
         */
        post: operations["confirmPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password-reset/request": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a link to reset a password
         * @description Mails a link to the address if it has an account. The answer, and the time it takes, are the same for one that has none.
         */
        post: operations["requestPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh the tokens
         * @description Exchanges a refresh token for new tokens. Each works once: one that comes back ends the session.
         */
        post: operations["refreshTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sign-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign up
         * @description Opens an account where HITHE_SIGN_UP is `open`. Where mail is sent, the address has to be confirmed first, and the answer is the same for one that has an account.
         */
        post: operations["signUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sign-up/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a sign-up
         * @description Opens the account that the mailed link is for. The password must be the one of the sign-up.
         */
        post: operations["confirmSignUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/signing-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the signing keys
         * @description Never their private halves. Platform administrators only.
         */
        get: operations["listSigningKeys"];
        put?: never;
        /**
         * Rotate the signing keys
         * @description From now on a new key signs. Tokens of the one before stay good until they expire, or, if it has leaked, end with `endPrevious`; clients refresh theirs and nobody has to log in again. Platform administrators only.
         */
        post: operations["rotateSigningKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deployments/{deploymentId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a deployment
         * @description Its state, its steps, and why it failed if it did. It stays when its project is deleted.
         */
        get: operations["getDeployment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deployments/{deploymentId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a deployment
         * @description Turns back what has been done so far; what ran before runs again. Not once the new release is live.
         */
        post: operations["cancelDeployment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deployments/{deploymentId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a deployment
         * @description Server-sent events, from the beginning or after `Last-Event-ID`: `state`, `component` (a step moved), `log` (what a step says) and, last, `end`. The stream ends with the deployment.
         */
        get: operations["streamDeploymentEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the health of the platform
         * @description Database, queue, agent and isolation, each asked now, with what to do. Answers 200 also when something is ill: `status` tells.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is the process alive
         * @description Answers as long as the process runs; asks nothing else.
         */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Can it answer requests
         * @description 200 when database and queue answer and the process is not stopping; otherwise 503.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hooks/{hookId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deliver to a deploy hook
         * @description Deploys or restarts the project of the hook. Signed as the Standard Webhooks specification says, over the body as it is; the body itself may be anything. Each webhook-id works once.
         */
        post: operations["deliverToHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the invitations to the platform
         * @description Those that are open and to no team. Platform administrators only.
         */
        get: operations["listInvitations"];
        put?: never;
        /**
         * Invite somebody to the platform
         * @description Makes a link with which the address opens an account, with its personal team. Platform administrators only.
         */
        post: operations["inviteToPlatform"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/{invitationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an invitation
         * @description Its link works no more. Who may invite may revoke.
         */
        delete: operations["revokeInvitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show who I am
         * @description The caller, their teams and their role in each; and the API token, if they use one.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my identities
         * @description The identities that open the account of the caller.
         */
        get: operations["listMyIdentities"];
        put?: never;
        /**
         * Link an identity
         * @description Takes the code of a log-in at the provider. From then on that identity opens the account. Needs a fresh proof, see `reauthenticate`.
         */
        post: operations["linkIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/identities/{identityId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Unlink an identity
         * @description It opens the account no more, and what its groups gave is taken away. Needs a fresh proof, see `reauthenticate`; the last way to log in stays.
         */
        delete: operations["unlinkIdentity"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept an invitation as myself
         * @description Joins the team of an invitation to my address. A role that I have there already stays.
         */
        post: operations["acceptInvitationAsMe"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my passkeys
         * @description The passkeys of the caller.
         */
        get: operations["listMyPasskeys"];
        put?: never;
        /**
         * Register a passkey
         * @description Needs a fresh proof, see `reauthenticate`. From now on a log-in with the password asks for a second factor too.
         */
        post: operations["registerPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/passkeys/{passkeyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a passkey
         * @description Needs a fresh proof, see `reauthenticate`. It logs nobody in any more; with the last second factor the recovery codes go too.
         */
        delete: operations["deletePasskey"];
        options?: never;
        head?: never;
        /**
         * Rename a passkey
         * @description Changes what its owner calls it.
         */
        patch: operations["renamePasskey"];
        trace?: never;
    };
    "/api/v1/me/passkeys/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask what a new passkey is to be like
         * @description Needs a fresh proof, see `reauthenticate`. The answer is for the browser, and works once, for five minutes.
         */
        post: operations["getPasskeyRegistrationOptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change my password
         * @description Needs the current one. All other sessions end; API tokens stay, and the answer names them.
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/permissions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what I may do
         * @description The rules by which the server decides, for this caller at this moment: roles, custom roles, grants, and the scopes of a token. With `If-None-Match` it answers 304 while they stay the same.
         */
        get: operations["getMyPermissions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/reauthenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove again who I am
         * @description With the password, a code, a recovery code or a passkey. For the next five minutes this session may change how the caller logs in.
         */
        post: operations["reauthenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/reauthenticate/passkey-options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask what a passkey has to sign to prove again who I am
         * @description For `reauthenticate`. What is signed works once, for five minutes.
         */
        post: operations["getReauthenticationPasskeyOptions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make new recovery codes
         * @description Needs a fresh proof, see `reauthenticate`. The former codes are void.
         */
        post: operations["renewRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/second-factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show my second factors
         * @description Which there are, how many recovery codes are left, and whether the operator demands one.
         */
        get: operations["getMySecondFactors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my sessions
         * @description Where I am logged in, and since when.
         */
        get: operations["listMySessions"];
        put?: never;
        post?: never;
        /**
         * End my other sessions
         * @description Logs me out everywhere but here, at once.
         */
        delete: operations["revokeMyOtherSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End one of my sessions
         * @description Its tokens stop working at once.
         */
        delete: operations["revokeMySession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my API tokens
         * @description Your tokens that were not revoked, newest first, with when and from where each was last used.
         */
        get: operations["listMyTokens"];
        put?: never;
        /**
         * Create an API token
         * @description A token that acts with your rights of the moment, cut to its scopes. It is shown once, and expires. Not with an API token: log in for this. A session older than five minutes needs a fresh proof (`POST /api/v1/me/reauthenticate`).
         */
        post: operations["createMyToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/tokens/{tokenId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke one of my API tokens
         * @description Ends the token at once and for good.
         */
        delete: operations["revokeMyToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to set up an authenticator app
         * @description Needs a fresh proof, see `reauthenticate`. Makes a secret for the app. It counts once a code of it has confirmed it; until then another call replaces it.
         */
        post: operations["beginTotp"];
        /**
         * Disable the authenticator app
         * @description Needs a fresh proof, see `reauthenticate`. With the last second factor the recovery codes go too.
         */
        delete: operations["disableTotp"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/totp/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put the authenticator app into use
         * @description From now on a log-in with the password asks for a code too.
         */
        post: operations["confirmTotp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/node/sources/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download code to a node
         * @description An archive, for the agent of a node that runs a component made from it.
         */
        get: operations["getNodeSource"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List nodes
         * @description Every node with whether its agent is connected and its isolation holds. Platform administrators only.
         */
        get: operations["listNodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes/{nodeId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a node
         * @description A node, its machine and its isolation. Platform administrators only.
         */
        get: operations["getNode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/platform/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List platform keys
         * @description Every key that can still decrypt, oldest first, with how much it wraps. The keys themselves never leave the server.
         */
        get: operations["listPlatformKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/platform/keys/retire": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete old platform keys
         * @description Refused while one of them wraps anything. Backups of the database that were made before the rotation cannot be read afterwards.
         */
        post: operations["retirePlatformKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/platform/keys/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate the platform key
         * @description Makes a new key, and wraps all data keys by it in the background. Every secret stays readable throughout.
         */
        post: operations["rotatePlatformKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/platform/quota-defaults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the limits of teams that have none of their own
         * @description The defaults of the platform; an absent resource has no limit. Platform administrators only.
         */
        get: operations["getQuotaDefaults"];
        /**
         * Replace the limits of teams that have none of their own
         * @description An absent resource has no limit. Platform administrators only.
         */
        put: operations["setQuotaDefaults"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List ports
         * @description Everything that a component can be made of, with the versions that can be installed.
         */
        get: operations["listPorts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ports/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a port
         * @description Its versions, the vars that a component can set, what dependants can read, and where it listens.
         */
        get: operations["getPort"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List projects
         * @description The projects of all teams that the caller belongs to.
         */
        get: operations["listProjects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a project
         * @description A project, its specification with secrets hidden, and how it is.
         */
        get: operations["getProject"];
        put?: never;
        post?: never;
        /**
         * Delete a project
         * @description Stops and removes every component, then the project. Their data is set aside on the node unless `purge` is given. `confirm` must be the name of the project.
         */
        delete: operations["deleteProject"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/deployments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deployments
         * @description What was done to a project, newest first.
         */
        get: operations["listDeployments"];
        put?: never;
        /**
         * Deploy, start, stop or restart
         * @description Starts the work and answers at once; follow it by its events. Components that do not change are not touched; a failed deploy leaves what ran before running. One deployment of a project at a time.
         */
        post: operations["createDeployment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List grants
         * @description Who has a role on this project beside their role in its team.
         */
        get: operations["listGrants"];
        /**
         * Give a role on a project
         * @description Gives a member or service account of the team a role on this project, or changes it. It adds to the role in the team. Nobody grants what they do not hold themselves.
         */
        put: operations["putGrant"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/grants/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a grant
         * @description Takes the role on this project away; the role in the team stays.
         */
        delete: operations["removeGrant"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show whether a project is well
         * @description The health of each component, as its own test says. A stopped component makes the project not healthy.
         */
        get: operations["getProjectHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/hooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deploy hooks
         * @description The hooks of a project, without their secrets.
         */
        get: operations["listHooks"];
        put?: never;
        /**
         * Create a deploy hook
         * @description An address that deploys or restarts the project for whoever signs with its secret (Standard Webhooks). The secret is shown once. The hook acts with your right of each moment.
         */
        post: operations["createHook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/hooks/{hookId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a deploy hook
         * @description Its address answers like one that never was.
         */
        delete: operations["deleteHook"];
        options?: never;
        head?: never;
        /**
         * Switch a deploy hook off or on
         * @description A hook that is off refuses every delivery.
         */
        patch: operations["updateHook"];
        trace?: never;
    };
    "/api/v1/projects/{projectId}/hooks/{hookId}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what came in at a deploy hook
         * @description Deliveries of the last 30 days and what became of each. Of those that proved nothing, at most ten a minute are kept.
         */
        get: operations["listHookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/hooks/{hookId}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace the secret of a deploy hook
         * @description The old secret ends at once. From now on the hook acts with the right of whoever calls this.
         */
        post: operations["rotateHookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read or follow logs
         * @description Past lines as JSON; with `follow`, or when `text/event-stream` is accepted, server-sent events `line`, resumable by `Last-Event-ID`, which is the time stamp of a line.
         */
        get: operations["readLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/protection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Protect a project
         * @description In a protected project developers need a grant to deploy, start, stop and apply, and a grant of more than their own role for secrets, terminals and restores.
         */
        put: operations["setProtection"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show what runs
         * @description Every component with its version, state, health, process, addresses and restarts, and what the state of others means to it.
         */
        get: operations["getProjectStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/variables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List variables
         * @description What is set for a project and its components; with `component` everything that it gets, and where from. Secrets are hidden.
         */
        get: operations["listVariables"];
        /**
         * Set variables
         * @description Gives new values to variables, all or none. What runs is not touched: the values take effect with the next deploy.
         */
        put: operations["setVariables"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/variables/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a variable
         * @description Takes effect with the next deploy. Its versions are kept: a rollback brings the value back.
         */
        delete: operations["removeVariable"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/variables/{name}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List versions of a variable
         * @description Who set it and when, newest first. Secrets are hidden.
         */
        get: operations["listVariableVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/variables/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Export a .env file
         * @description What is set for the project or for one component, secrets in clear. Recorded like a reveal, and never for API tokens.
         */
        post: operations["exportVariables"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/variables/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import a .env file
         * @description Sets what the file names, all or nothing; with `dryRun` it only says what would change.
         */
        post: operations["importVariables"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{projectId}/variables/reveal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reveal secrets
         * @description The texts of secrets, for those who may see them. Each use is in the audit log before a value leaves. Never for API tokens.
         */
        post: operations["revealVariables"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the role table
         * @description What each built-in role may do; the same table as in the documentation.
         */
        get: operations["getRoleTable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schemas/project": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * JSON Schema of hithe.yaml
         * @description JSON Schema 2020-12 of a project file, for editors.
         */
        get: operations["getProjectSchema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scopes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the scopes of tokens
         * @description What a token can be allowed. A token may do what its owner may at that moment, as far as one of its scopes covers it.
         */
        get: operations["listScopes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List teams
         * @description The teams that the caller belongs to; all of them for platform administrators.
         */
        get: operations["listTeams"];
        put?: never;
        /**
         * Create a team
         * @description Founds a team; the caller is its first owner. Its slug names the directory of its processes and never changes.
         */
        post: operations["createTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a team
         * @description A team that the caller may see.
         */
        get: operations["getTeam"];
        put?: never;
        post?: never;
        /**
         * Delete a team
         * @description Deletes a team without projects, its members, roles and invitations; 409 names the projects that it still has. `confirm` must be its slug. A personal team goes with its user.
         */
        delete: operations["deleteTeam"];
        options?: never;
        head?: never;
        /**
         * Rename a team
         * @description Gives a team another name. Its slug stays, since directories are named after it.
         */
        patch: operations["updateTeam"];
        trace?: never;
    };
    "/api/v1/teams/{teamId}/break-glass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List cases of broken glass
         * @description Who broke the glass of this team, when, why and for how long. For its owners and admins, and for platform administrators.
         */
        get: operations["listBreakGlass"];
        put?: never;
        /**
         * Break the glass of a team
         * @description Gives the platform administrator who asks the right to reveal secrets and to exec in the projects of this team, for at most an hour. Asks for a fresh proof (`POST /api/v1/me/reauthenticate`). The team sees it and every use of it in its audit log.
         */
        post: operations["breakGlass"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/break-glass/{caseId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End emergency access
         * @description Ends it before its time. Owners of the team may, and platform administrators. One that is over stays as it is.
         */
        delete: operations["endBreakGlass"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the invitations to a team
         * @description Those that are open. Their links are not shown again.
         */
        get: operations["listTeamInvitations"];
        put?: never;
        /**
         * Invite somebody to a team
         * @description Makes a link with which the address joins the team, with a new account or its own. It replaces an open invitation of the same address, is shown this once, and is mailed where mail is sent.
         */
        post: operations["inviteToTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the members of a team
         * @description Everybody in the team sees everybody in it.
         */
        get: operations["listTeamMembers"];
        /**
         * Add a member or change a role
         * @description Owners manage everybody, admins the roles below their own. The last owner stays.
         */
        put: operations["putTeamMember"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/members/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a member
         * @description Takes a user out of a team; everybody may leave by themselves, except for the last owner.
         */
        delete: operations["removeTeamMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Plan a deployment
         * @description Says what a deploy of this specification would do, which versions resolve and are installed, and whether network ports are free and who holds them. Faults are failed checks, each with its place and mend. Changes nothing.
         */
        post: operations["planProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/projects/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Create or change a project
         * @description Stores the specification; it deploys nothing. Every fault is named with its place and mend, and then nothing is created or touched. Applying the same again changes nothing.
         */
        put: operations["applyProject"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a team's quota
         * @description Every resource with its limit, what is used and what the applied specifications ask for.
         */
        get: operations["getTeamQuota"];
        /**
         * Replace a team's own limits
         * @description What is absent is left to the platform. A lower limit stops nothing that runs; it stops growth. Platform administrators only.
         */
        put: operations["setTeamQuota"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List custom roles
         * @description The roles that the team made itself.
         */
        get: operations["listTeamRoles"];
        put?: never;
        /**
         * Make a role
         * @description A role of this team alone, out of CASL rules. It may hold at most what its author holds in the team, and nothing of the platform’s; a refusal names each rule that goes beyond.
         */
        post: operations["createTeamRole"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/roles/{roleId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a role
         * @description A custom role of the team with its rules.
         */
        get: operations["getTeamRole"];
        put?: never;
        post?: never;
        /**
         * Delete a role
         * @description Deletes a role that nobody has; 409 names those who have it.
         */
        delete: operations["deleteTeamRole"];
        options?: never;
        head?: never;
        /**
         * Change a role
         * @description Holds for everybody who has the role from their next request on. The author must hold the old rules as well as the new ones.
         */
        patch: operations["updateTeamRole"];
        trace?: never;
    };
    "/api/v1/teams/{teamId}/service-accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List service accounts
         * @description Everybody in the team sees them, as they see its members.
         */
        get: operations["listServiceAccounts"];
        put?: never;
        /**
         * Create a service account
         * @description A user that is no person: it has a role in this team, cannot log in, and acts with API tokens alone. Its role is below your own.
         */
        post: operations["createServiceAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/service-accounts/{accountId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a service account
         * @description Its tokens end at once. What it did stays in the audit log.
         */
        delete: operations["deleteServiceAccount"];
        options?: never;
        head?: never;
        /**
         * Give a service account another role
         * @description Its tokens have the new role at once. Both roles must be below your own.
         */
        patch: operations["updateServiceAccount"];
        trace?: never;
    };
    "/api/v1/teams/{teamId}/service-accounts/{accountId}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the tokens of a service account
         * @description Those that were not revoked.
         */
        get: operations["listServiceAccountTokens"];
        put?: never;
        /**
         * Create a token of a service account
         * @description Shown once; expires. It acts in this team alone, with the role of the account at each moment, cut to its scopes. A session older than five minutes needs a fresh proof (`POST /api/v1/me/reauthenticate`).
         */
        post: operations["createServiceAccountToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/service-accounts/{accountId}/tokens/{tokenId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a token of a service account
         * @description Ends the token at once and for good.
         */
        delete: operations["revokeServiceAccountToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload code
         * @description Stores a gzip-compressed tar archive of at most 64 MiB for the team, named by its content: the same archive again changes nothing. Put the digest into `source` of a component.
         */
        post: operations["uploadSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the API tokens of a team
         * @description Those that act in this team alone: of its service accounts, and of members who made one for it.
         */
        get: operations["listTeamTokens"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/tokens/{tokenId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an API token of a team
         * @description Ends a token that acts in this team alone, also a member's.
         */
        delete: operations["revokeTeamToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a team to somebody
         * @description Makes that user an owner and the caller an admin, at once. When a platform administrator does it, all owners before become admins.
         */
        post: operations["transferTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a team's usage
         * @description Processor time, memory and stored data by day, project or component; what deleted projects used stays.
         */
        get: operations["getTeamUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{teamId}/usage/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export a team's usage
         * @description One line for each component and day, as CSV or JSON lines.
         */
        get: operations["exportTeamUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the usage of all teams
         * @description Processor time, memory and stored data by team, day, project or component. Platform administrators only.
         */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export the usage of all teams
         * @description One line for each component and day, as CSV or JSON lines, for bills. Platform administrators only.
         */
        get: operations["exportUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List users
         * @description All users for platform administrators; for everybody else only themselves.
         */
        get: operations["listUsers"];
        put?: never;
        /**
         * Create a user
         * @description Opens an account with a personal team. Without a password one is generated and shown in the answer, once. Platform administrators only.
         */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a user
         * @description A user that the caller may see: themselves, or anybody for platform administrators.
         */
        get: operations["getUser"];
        put?: never;
        post?: never;
        /**
         * Delete a user
         * @description Deletes the account, its sessions, API tokens and personal team, which must be empty. What the user did stays in the audit log. Platform administrators only.
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /**
         * Change a user
         * @description Disables or enables an account, and gives or takes the administration of the platform. A disabled user is out at once. Platform administrators only; one of them always remains.
         */
        patch: operations["changeUser"];
        trace?: never;
    };
    "/api/v1/users/{userId}/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link to reset a password
         * @description A link with which the user chooses a new password within an hour. It is in the answer this once, and mailed where mail is sent. Platform administrators only.
         */
        post: operations["createPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{userId}/second-factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take away the second factors of a user
         * @description For somebody who has lost devices and recovery codes; make sure that it is them who asks. Ends all their sessions. Platform administrators only.
         */
        delete: operations["resetSecondFactors"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{userId}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the sessions of a user
         * @description Where they are logged in. Platform administrators only.
         */
        get: operations["listUserSessions"];
        put?: never;
        post?: never;
        /**
         * End all sessions of a user
         * @description Logs them out everywhere, at once. Platform administrators only.
         */
        delete: operations["revokeUserSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptedRequestDto: {
            /**
             * @description Whether this installation sends mail
             * @example true
             */
            mail: boolean;
            /** @example If the address is right, a mail with a link is on its way. */
            message: string;
        };
        AcceptInvitationDto: {
            /**
             * Format: password
             * @example correct horse battery staple
             */
            password: string;
            /**
             * @description What stands behind the # of the link
             * @example hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            token: string;
        };
        /**
         * @description What may be done
         * @enum {string}
         */
        Action: "read" | "create" | "update" | "delete" | "transfer" | "manage-members" | "manage-roles" | "manage-tokens" | "manage-quota" | "break-glass" | "protect" | "deploy" | "operate" | "restore" | "exec" | "read-logs" | "write-secrets" | "reveal-secrets" | "export" | "manage";
        /** @enum {string} */
        AnyRole: "owner" | "admin" | "developer" | "viewer" | "auditor" | "custom";
        AuditEventDto: {
            /**
             * @description What was done
             * @example project.applied
             */
            action: string;
            /**
             * @description Their address at that time
             * @example zoe@example.org
             */
            actorEmail: string | null;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            actorId: string | null;
            /**
             * @description Who acted: a user, a service account, the platform itself, or nobody knows
             * @example user
             * @enum {string}
             */
            actorKind: "user" | "service" | "system" | "anonymous";
            /**
             * @description Network address of the client
             * @example 192.0.2.7
             */
            address: string | null;
            /**
             * @description What was changed, as it is now
             * @example {
             *       "specVersion": 2
             *     }
             */
            after: {
                [key: string]: unknown;
            } | null;
            /**
             * @description When, by the clock of the database
             * @example 2026-01-31T09:30:00.123456Z
             */
            at: string;
            /**
             * @description What was changed, as it was; secrets as keyed hashes
             * @example {
             *       "specVersion": 1
             *     }
             */
            before: {
                [key: string]: unknown;
            } | null;
            /** @example null */
            details: {
                [key: string]: unknown;
            } | null;
            /**
             * @description SHA-256 of this event and the hash before it; docs/audit.md says how
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            hash: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * @example success
             * @enum {string}
             */
            outcome: "success" | "denied" | "failed";
            /**
             * @description The part of the platform that acted by itself
             * @example null
             */
            part: string | null;
            /**
             * @description SHA-256 of the event before
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            previousHash: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            projectId: string | null;
            /**
             * @description As in the X-Request-Id of the answer
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            requestId: string | null;
            /**
             * @description Counts from 1 without gaps, over all teams
             * @example 4711
             */
            seq: number;
            /**
             * Format: uuid
             * @description The log-in that was used
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            sessionId: string | null;
            /** @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55 */
            subjectId: string;
            /**
             * @description Its name at that time
             * @example guestbook
             */
            subjectName: string | null;
            /**
             * @description What it was done to
             * @example project
             */
            subjectType: string;
            /**
             * Format: uuid
             * @description Null: an event of the platform
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string | null;
            /**
             * Format: uuid
             * @description The API token that was used
             * @example null
             */
            tokenId: string | null;
        };
        AuditEventPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["AuditEventDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        AuditKeysDto: {
            /**
             * Format: uuid
             * @description The installation, as signed heads name it
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            installation: string;
            /**
             * @description PEM of the Ed25519 keys that heads and archives were signed with
             * @example -----BEGIN PUBLIC KEY-----
             *     MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
             *     -----END PUBLIC KEY-----
             */
            publicKeys: string;
        };
        AuditSegmentDto: {
            /**
             * Format: date-time
             * @example 2026-02-01T03:37:00.000Z
             */
            archivedAt: string;
            /**
             * @description In control/audit/archive; its manifest stands beside it
             * @example audit-000000000001-000000004711.jsonl.gz
             */
            file: string;
            /** @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 */
            fileSha256: string;
            /**
             * Format: date-time
             * @example 2026-01-01T08:00:00.000Z
             */
            firstAt: string;
            /** @example 1 */
            firstSeq: number;
            /**
             * Format: date-time
             * @example 2026-01-31T09:30:00.000Z
             */
            lastAt: string;
            /**
             * @description Hash of the last event
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            lastHash: string;
            /** @example 4711 */
            lastSeq: number;
            /**
             * @description Hash before the first event
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            previousHash: string;
        };
        AuditSegmentListDto: {
            /** @description Oldest first */
            items: components["schemas"]["AuditSegmentDto"][];
            /**
             * @description Always null: all of them are here
             * @example null
             */
            nextCursor: string | null;
        };
        AuthOptionsDto: {
            /** @example 256 */
            longestPassword: number;
            /**
             * @description Whether mail is sent: links to reset a password, and to confirm an address
             * @example true
             */
            mail: boolean;
            /** @description The OIDC provider with which one may log in; null when there is none */
            oidc: components["schemas"]["OidcOptionDto"] | null;
            /** @example 12 */
            shortestPassword: number;
            /**
             * @description Who gets an account
             * @example invite
             */
            signUp: components["schemas"]["SignUpMode"];
        };
        BeginOidcDto: {
            /**
             * @description base64url of the SHA-256 of a random secret of yours (PKCE, S256), with which you fetch the result
             * @example E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM
             */
            codeChallenge: string;
            /**
             * @description Where the browser takes the code: loopback, or a page of this installation. Absent: it shows the code, to be copied
             * @example http://127.0.0.1:49200/
             */
            redirectUri?: string;
        };
        BreakGlassCaseDto: {
            /**
             * @description Whether it still gives rights
             * @example true
             */
            active: boolean;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description The platform administrator who broke it
             * @example admin@example.org
             */
            email: string;
            /**
             * Format: date-time
             * @description When it was ended before its time
             * @example null
             */
            endedAt: string | null;
            /**
             * Format: date-time
             * @example 2026-01-01T00:30:00.000Z
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @description Named in every event of its use
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c58
             */
            id: string;
            /** @example The team is unreachable and its database leaks addresses. */
            reason: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string;
        };
        BreakGlassDto: {
            /**
             * @description How long it lasts
             * @example 30
             */
            minutes: number;
            /**
             * @description Why; the team’s owners read it
             * @example The team is unreachable and its database leaks addresses.
             */
            reason: string;
        };
        BreakGlassPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["BreakGlassCaseDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        ChainProblemDto: {
            /** @example Event 4711 (member.added) was edited: its content does not have its hash. */
            message: string;
            /**
             * @description `edited`: its content or place was changed · `missing`: deleted · `cut`: the end is gone · `head-mismatch`: not what was signed · `archive-damaged`: the file is not the one that was written
             * @example edited
             * @enum {string}
             */
            problem: "edited" | "missing" | "cut" | "head-mismatch" | "archive-damaged";
            /**
             * @description The event where it is
             * @example 4711
             */
            seq: number;
        };
        ChallengeDto: {
            /**
             * @description From the answer of the log-in
             * @example hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            challenge: string;
        };
        ChangePasswordDto: {
            /**
             * Format: password
             * @example correct horse battery staple
             */
            currentPassword: string;
            /**
             * Format: password
             * @example tulips never dance alone
             */
            newPassword: string;
        };
        ChangeUserDto: {
            /**
             * @description A disabled user cannot log in, and their sessions and API tokens stop working
             * @example true
             */
            disabled?: boolean;
            /**
             * @description Whether they administer the platform
             * @example false
             */
            platformAdmin?: boolean;
        };
        ComponentEndpointDto: {
            /** @example 127.0.0.1 */
            address: string;
            /** @example http */
            name: string;
            /** @example 20003 */
            port: number;
            /** @example http */
            protocol: components["schemas"]["EndpointProtocol"];
            /** @example http://127.0.0.1:20003/ */
            url?: string;
        };
        ComponentExitDto: {
            /** @example 1 */
            code?: number;
            /** @example SIGKILL */
            signal?: string;
        };
        /**
         * @description That of the worst component
         * @enum {string}
         */
        ComponentHealth: "healthy" | "unhealthy" | "unknown" | "stopped";
        ComponentHealthDto: {
            /** @example stopped */
            health: components["schemas"]["ComponentHealth"];
            /** @example stopped on request */
            message?: string;
            /** @example cache */
            name: string;
            /**
             * Format: date-time
             * @description When it changed last
             * @example 2026-01-01T00:00:00.000Z
             */
            since?: string;
        };
        /**
         * @description `new`: not deployed yet; `stopped` by somebody, `failed` by itself
         * @enum {string}
         */
        ComponentState: "new" | "pending" | "preparing" | "prepared" | "starting" | "running" | "restarting" | "stopping" | "stopped" | "failed" | "removed";
        ComponentStatusDto: {
            /**
             * @description What the state of others means to this one
             * @example runs without cache (stopped), which it needs
             */
            effect?: string;
            endpoints: components["schemas"]["ComponentEndpointDto"][];
            exit?: components["schemas"]["ComponentExitDto"];
            /** @example healthy */
            health: components["schemas"]["ComponentHealth"];
            /**
             * @description What its health check said last
             * @example HTTP 200 on /
             */
            healthMessage?: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            healthSince?: string;
            /** @example exited with code 1 */
            message?: string;
            /** @example web */
            name: string;
            /** @example local */
            node?: string;
            /** @example 4711 */
            pid?: number;
            /** @example nodejs-app */
            port: string;
            /**
             * @description The exact version of the software
             * @example 24.21.0
             */
            resolvedVersion?: string;
            /**
             * @description How often it was started again after it ended by itself
             * @example 0
             */
            restarts: number;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            startedAt?: string;
            /**
             * @description `new`: not deployed yet; `stopped` by somebody, `failed` by itself
             * @example running
             */
            state: components["schemas"]["ComponentState"];
            /** @example 1900000003 */
            uid?: number;
            /** @example 24 */
            version?: string;
        };
        ConfirmPasswordResetDto: {
            /**
             * Format: password
             * @example tulips never dance alone
             */
            password: string;
            /**
             * @description What stands behind the # of the link
             * @example hithe_pr_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            token: string;
        };
        ConfirmSignUpDto: {
            /**
             * Format: password
             * @description The one that was chosen at the sign-up
             * @example correct horse battery staple
             */
            password: string;
            /**
             * @description What stands behind the # of the mailed link
             * @example hithe_su_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            token: string;
        };
        CreateArchiveDto: {
            /**
             * Format: date-time
             * @description Events before this moment leave the database
             * @example 2026-01-01T00:00:00Z
             */
            before: string;
        };
        CreateDeploymentDto: {
            /**
             * @description Only these components; all when absent. Not with `deploy`
             * @example [
             *       "cache"
             *     ]
             */
            components?: string[];
            /**
             * @description `deploy` brings the project to its specification; the others change what runs
             * @example deploy
             */
            kind: components["schemas"]["StartableDeploymentKind"];
        };
        CreatedInvitationDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /** @example grace@example.org */
            email: string;
            /**
             * Format: date-time
             * @example 2026-01-08T00:00:00.000Z
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * Format: uuid
             * @description The user who invited; null when they are gone
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            invitedBy: string | null;
            /**
             * @description Works once; shown this once
             * @example https://hithe.example.org/invitation#hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            link: string;
            /**
             * @description Whether it was also mailed
             * @example false
             */
            mailed: boolean;
            /** @example developer */
            role: components["schemas"]["TeamRole"] | null;
            /**
             * Format: uuid
             * @description Null: to the platform
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string | null;
        };
        CreatedTokenDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @description The user who made it
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            createdBy: string;
            /** @example false */
            expired: boolean;
            /**
             * Format: date-time
             * @example 2026-04-01T00:00:00.000Z
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example 198.51.100.7 */
            lastUsedAddress: string | null;
            /**
             * Format: date-time
             * @description To the minute
             * @example 2026-01-02T08:30:00.000Z
             */
            lastUsedAt: string | null;
            /** @example github-actions */
            name: string;
            /**
             * @example [
             *       "read",
             *       "deploy:0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
             *     ]
             */
            scopes: string[];
            /**
             * Format: uuid
             * @description The only team in which it acts
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string | null;
            /**
             * @description Shown this once; send it as `Authorization: Bearer …`
             * @example hithe_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0YM00h
             */
            token: string;
            /**
             * Format: uuid
             * @description The user or service account with whose rights it acts
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            userId: string;
        };
        CreatedUserDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description A disabled user cannot log in, and their sessions have ended
             * @example false
             */
            disabled: boolean;
            /** @example ada@example.org */
            email: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * @description Shown this once, and only when no password was given
             * @example kfReT-9aXmw-Q3bnH-yLe4z
             */
            initialPassword?: string;
            /**
             * @description Whether they administer the platform: users and nodes
             * @example false
             */
            platformAdmin: boolean;
        };
        CreateHookDto: {
            /**
             * @description What a delivery starts
             * @example deploy
             */
            kind: components["schemas"]["HookKind"];
            /**
             * @description Unique in the project
             * @example github
             */
            name: string;
        };
        CreateRoleDto: {
            /**
             * @description What the role is for
             * @example Deploys what is ready.
             */
            description?: string;
            /**
             * @description Name within the team
             * @example release-manager
             */
            name: string;
            /**
             * @description CASL rules: `action` (one or a list), `subject` (Project, Team or AuditEvent), and for projects `conditions` {id: {$in: […]}, protected}; `inverted` takes away what rules before it gave. They hold in this team alone.
             * @example [
             *       {
             *         "action": [
             *           "read",
             *           "read-logs",
             *           "deploy",
             *           "operate",
             *           "update"
             *         ],
             *         "subject": "Project"
             *       },
             *       {
             *         "action": [
             *           "deploy",
             *           "operate",
             *           "update"
             *         ],
             *         "subject": "Project",
             *         "conditions": {
             *           "protected": true
             *         },
             *         "inverted": true
             *       }
             *     ]
             */
            rules: {
                [key: string]: unknown;
            }[];
        };
        CreateServiceAccountDto: {
            /**
             * @description Unique in the team
             * @example deployer
             */
            name: string;
            /**
             * @description A built-in role, never owner: a team needs a person; or `roleId`
             * @example developer
             */
            role?: components["schemas"]["ProjectRole"];
            /**
             * Format: uuid
             * @description A custom role of the team; or `role`
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            roleId?: string;
        };
        CreateServiceTokenDto: {
            /**
             * @description Days until it expires; there is no token without an end
             * @default 90
             * @example 90
             */
            expiresInDays: number;
            /**
             * @description What it is for; for people
             * @example github-actions
             */
            name: string;
            /**
             * @description What it may do, of what its owner may: `read`, `deploy`, `secret:write`. After a colon, the id or `team/name` of the only project; see listScopes
             * @example [
             *       "read",
             *       "deploy:web-shop/guestbook"
             *     ]
             */
            scopes: string[];
        };
        CreateTeamDto: {
            /**
             * @description Name for people
             * @example Harbour crew
             */
            name: string;
            /**
             * @description Name for directories and commands; from the name when absent
             * @example harbour-crew
             */
            slug?: string;
        };
        CreateTokenDto: {
            /**
             * @description Days until it expires; there is no token without an end
             * @default 90
             * @example 90
             */
            expiresInDays: number;
            /**
             * @description What it is for; for people
             * @example github-actions
             */
            name: string;
            /**
             * @description What it may do, of what its owner may: `read`, `deploy`, `secret:write`. After a colon, the id or `team/name` of the only project; see listScopes
             * @example [
             *       "read",
             *       "deploy:web-shop/guestbook"
             *     ]
             */
            scopes: string[];
            /**
             * Format: uuid
             * @description The only team in which it acts; all of yours when absent. Scopes of a project set it to the team of that project
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId?: string;
        };
        CreateUserDto: {
            /**
             * @description Address to log in with; compared in lower case
             * @example ada@example.org
             */
            email: string;
            /**
             * @description First password; generated when absent
             * @example correct horse battery staple
             */
            password?: string;
        };
        CustomRuleDto: {
            /**
             * @description What may be done
             * @example [
             *       "read",
             *       "deploy"
             *     ]
             */
            action: components["schemas"]["Action"][];
            /**
             * @description Only projects with these ids, only protected ones, or only others
             * @example {
             *       "protected": false
             *     }
             */
            conditions?: {
                [key: string]: unknown;
            };
            /**
             * @description Takes away instead
             * @example false
             */
            inverted?: boolean;
            /**
             * @description To what
             * @example Project
             */
            subject: components["schemas"]["CustomSubject"];
        };
        /**
         * @description To what
         * @enum {string}
         */
        CustomSubject: "Project" | "Team" | "AuditEvent";
        DeploymentDto: {
            /**
             * @description The components that it touches
             * @example [
             *       "web"
             *     ]
             */
            components: string[];
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            failure?: components["schemas"]["DeploymentFailureDto"];
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:03.000Z
             */
            finishedAt?: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example deploy */
            kind: components["schemas"]["DeploymentKind"];
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56
             */
            projectId: string;
            /**
             * @description The release that it brings the project to
             * @example 2
             */
            release: number | null;
            /**
             * Format: uuid
             * @description The user who started it
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57
             */
            requestedBy: string;
            /**
             * @description `succeeded`, `rolled_back`, `failed` and `cancelled` are final
             * @example succeeded
             */
            state: components["schemas"]["DeploymentState"];
            /** @description What it does to each component, in order */
            steps: components["schemas"]["DeploymentStepDto"][];
        };
        DeploymentFailureDto: {
            /** @example web */
            component?: string;
            /** @example 1 */
            exitCode?: number;
            /**
             * @description The likely mend
             * @example Run the build on your machine, mend what the log lines say, and deploy again.
             */
            fix?: string;
            /**
             * @description The last lines of its log
             * @example [
             *       "npm error Missing script: \"build\""
             *     ]
             */
            logTail: string[];
            /** @example build.sh exited with code 1 */
            message: string;
            /** @example SIGKILL */
            signal?: string;
            /**
             * @description The step or script that failed
             * @example build
             */
            step: string;
        };
        /** @enum {string} */
        DeploymentKind: "deploy" | "start" | "stop" | "restart" | "delete";
        DeploymentPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["DeploymentDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        /**
         * @description `succeeded`, `rolled_back`, `failed` and `cancelled` are final
         * @enum {string}
         */
        DeploymentState: "queued" | "planned" | "preparing" | "starting" | "verifying" | "promoting" | "draining" | "aborting" | "succeeded" | "rolled_back" | "failed" | "cancelled";
        DeploymentStepDto: {
            /** @example web */
            component: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:01.000Z
             */
            finishedAt?: string;
            /** @example build */
            message?: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            startedAt?: string;
            /** @example done */
            state: components["schemas"]["DeploymentStepState"];
            /** @example prepare */
            step: components["schemas"]["DeploymentStepName"];
        };
        /** @enum {string} */
        DeploymentStepName: "prepare" | "start" | "verify" | "drain" | "stop" | "remove" | "restore";
        /** @enum {string} */
        DeploymentStepState: "pending" | "running" | "done" | "failed";
        EnabledFactorDto: {
            /**
             * @description With the first factor: codes that stand in for it, each once; they are shown only now
             * @example [
             *       "k3vp-x7md-92hq-acwt",
             *       "p8dn-4jyx-rt6k-w2vm"
             *     ]
             */
            recoveryCodes?: string[];
        };
        EndedSessionsDto: {
            /** @example 2 */
            endedSessions: number;
        };
        /** @enum {string} */
        EndpointProtocol: "http" | "tcp";
        ExportedVariablesDto: {
            /**
             * @description How many variables are in it
             * @example 1
             */
            count: number;
            /**
             * @description Content of the file
             * @example API_KEY='sk_live_51H8'
             */
            text: string;
        };
        ExportVariablesDto: {
            /**
             * @description The component whose own variables are wanted; absent: those of the project
             * @example web
             */
            component?: string;
        };
        FaultDto: {
            /**
             * @description Stable code
             * @example COMPONENT_UNKNOWN
             */
            code: string;
            /**
             * @description What to do next
             * @example Did you mean "cache"?
             */
            fix?: string;
            /** @example There is no component "cach". */
            message: string;
            /**
             * @description Place in the request, dotted
             * @example components.web.needs[0]
             */
            path: string;
        };
        GrantDto: {
            /**
             * @description Send it as `Authorization: Bearer …`
             * @example eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl
             */
            accessToken: string;
            /**
             * @description Seconds that the access token lives
             * @example 900
             */
            expiresIn: number;
            /**
             * @description Exchange it once, before the access token expires
             * @example hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            refreshToken: string;
            user: components["schemas"]["UserDto"];
        };
        GrantPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["ProjectGrantDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        /** @enum {string} */
        GrantRole: "admin" | "developer" | "viewer" | "auditor" | "custom";
        HealthDto: {
            parts: components["schemas"]["HealthPartsDto"];
            /**
             * @description Whether every part is well
             * @example ok
             * @enum {string}
             */
            status: "ok" | "degraded";
        };
        HealthPartsDto: {
            agent: components["schemas"]["PartHealthDto"];
            audit: components["schemas"]["PartHealthDto"];
            database: components["schemas"]["PartHealthDto"];
            isolation: components["schemas"]["PartHealthDto"];
            queue: components["schemas"]["PartHealthDto"];
        };
        HookDeliveryDto: {
            /** @example 198.51.100.7 */
            address: string | null;
            /**
             * @description Why it was refused or failed
             * @example DEPLOYMENT_ALREADY_ACTIVE
             */
            code: string | null;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            deploymentId: string | null;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * @description `failed` may be sent again under its id; `refused` and `started` may not
             * @example started
             */
            outcome: components["schemas"]["HookDeliveryOutcome"];
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            receivedAt: string;
            /**
             * @description null where no signature vouched for it
             * @example msg_2KWPBgLlAfxdpx2AI54pPJ85f4W
             */
            webhookId: string | null;
        };
        /**
         * @description `failed` may be sent again under its id; `refused` and `started` may not
         * @enum {string}
         */
        HookDeliveryOutcome: "accepted" | "started" | "failed" | "refused";
        HookDeliveryPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["HookDeliveryDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        HookDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @description The user with whose right it acts
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            createdBy: string;
            /** @example true */
            enabled: boolean;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example deploy */
            kind: components["schemas"]["HookKind"];
            /** @example github */
            name: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            projectId: string;
            /**
             * Format: date-time
             * @description When its present secret was made
             * @example 2026-01-01T00:00:00.000Z
             */
            secretSince: string;
            /**
             * @description Where deliveries go
             * @example https://hithe.example.org/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            url: string;
        };
        /**
         * @description What a delivery starts
         * @enum {string}
         */
        HookKind: "deploy" | "restart";
        HookPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["HookDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        IdentityDto: {
            /**
             * Format: date-time
             * @description When it was linked
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description The address that the provider told last
             * @example ada@example.org
             */
            email: string | null;
            /**
             * Format: uuid
             * @description Names it in requests
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * @description The provider
             * @example https://login.example.org/realms/harbour
             */
            issuer: string;
            /**
             * Format: date-time
             * @description When it was last used to log in; null: never
             * @example null
             */
            lastUsedAt: string | null;
            /**
             * @description What the provider calls the person, for good
             * @example f3b5c0a1-7d5e-4a38-9c55-2f0e8f1b6d11
             */
            subject: string;
        };
        IdentityPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["IdentityDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        ImportVariablesDto: {
            /**
             * @description The component that alone gets them; absent: all components of the project that run your code
             * @example web
             */
            component?: string;
            /**
             * @description Only says what would change
             * @default false
             * @example true
             */
            dryRun: boolean;
            /**
             * @description Kind of those that are new; others keep theirs
             * @default secret
             * @example secret
             * @enum {string}
             */
            kind: "plain" | "secret";
            /**
             * @description Removes whatever the file does not name
             * @default false
             * @example false
             */
            prune: boolean;
            /**
             * @description Content of the file
             * @example API_KEY=sk_live_51H8
             *     LEVEL=debug
             */
            text: string;
        };
        InvitationDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /** @example grace@example.org */
            email: string;
            /**
             * Format: date-time
             * @example 2026-01-08T00:00:00.000Z
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * Format: uuid
             * @description The user who invited; null when they are gone
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            invitedBy: string | null;
            /** @example developer */
            role: components["schemas"]["TeamRole"] | null;
            /**
             * Format: uuid
             * @description Null: to the platform
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string | null;
        };
        InvitationPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["InvitationDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        InvitationTokenDto: {
            /**
             * @description What stands behind the # of the link
             * @example hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            token: string;
        };
        InvitationViewDto: {
            /** @example grace@example.org */
            email: string;
            /**
             * Format: date-time
             * @example 2026-01-08T00:00:00.000Z
             */
            expiresAt: string;
            /**
             * @description Whether to log in and accept, rather than to choose a password
             * @example false
             */
            hasAccount: boolean;
            /** @example ada@example.org */
            invitedBy: string | null;
            /** @example developer */
            role: components["schemas"]["TeamRole"] | null;
            /** @description Null: to the platform */
            team: components["schemas"]["InvitingTeamDto"] | null;
        };
        InviteDto: {
            /**
             * @description Days until the link expires; 7 when absent
             * @example 7
             */
            days?: number;
            /**
             * @description Only an account with this address can accept
             * @example grace@example.org
             */
            email: string;
        };
        InviteToTeamDto: {
            /**
             * @description Days until the link expires; 7 when absent
             * @example 7
             */
            days?: number;
            /**
             * @description Only an account with this address can accept
             * @example grace@example.org
             */
            email: string;
            /**
             * @description A role that the caller may give
             * @example developer
             */
            role: components["schemas"]["TeamRole"];
        };
        InvitingTeamDto: {
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example Harbour crew */
            name: string;
        };
        IsolationCheckDto: {
            /**
             * @description What was found
             * @example another tenant's directory is invisible
             */
            message: string;
            /**
             * @description Which wall was tried
             * @example other-tenants-files
             */
            name: string;
            /** @example true */
            ok: boolean;
        };
        IsolationDto: {
            /** @description What was tried at the start of the agent */
            checks: components["schemas"]["IsolationCheckDto"][];
            /**
             * @description `root`: a uid for each tenant
             * @example root
             * @enum {string}
             */
            mode: "root" | "rootless" | "none";
            /**
             * @description Whether every wall stands; without it no tenant code runs
             * @example true
             */
            ok: boolean;
        };
        JwkDto: {
            /** @example ES256 */
            alg: string;
            /** @example P-256 */
            crv: string;
            /** @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55 */
            kid: string;
            /** @example EC */
            kty: string;
            /** @example sig */
            use: string;
            /** @example f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU */
            x: string;
            /** @example x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0 */
            y: string;
        };
        JwksDto: {
            keys: components["schemas"]["JwkDto"][];
        };
        LoginDto: {
            /** @example ada@example.org */
            email: string;
            /**
             * Format: password
             * @example correct horse battery staple
             */
            password: string;
        };
        LogLineDto: {
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            allocationId: string;
            /**
             * @description When it was written, to the microsecond
             * @example 2026-01-01T00:00:00.000000Z
             */
            at: string;
            /** @example web */
            component: string;
            /** @example listening on 20003 */
            text: string;
        };
        LogLinesDto: {
            /** @description Oldest first */
            items: components["schemas"]["LogLineDto"][];
        };
        MeDto: {
            /** @example ada@example.org */
            email: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example false */
            platformAdmin: boolean;
            teams: components["schemas"]["MyTeamDto"][];
            /** @description Only when the request came with an API token */
            token?: components["schemas"]["MyTokenDto"];
        };
        MemberDto: {
            /** @example grace@example.org */
            email: string;
            /**
             * @description A `service` acts with API tokens alone
             * @example person
             */
            kind: components["schemas"]["UserKind"];
            /** @example developer */
            role: components["schemas"]["AnyRole"];
            /**
             * Format: uuid
             * @description The custom role, with `custom`
             * @example null
             */
            roleId: string | null;
            /**
             * @description The name of the role, built-in or custom
             * @example developer
             */
            roleName: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            since: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            userId: string;
        };
        MemberPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["MemberDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        MyTeamDto: {
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example Harbour crew */
            name: string;
            /** @example owner */
            role: components["schemas"]["AnyRole"];
            /** @example harbour-crew */
            slug: string;
        };
        MyTokenDto: {
            /**
             * Format: date-time
             * @example 2026-04-01T00:00:00.000Z
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example github-actions */
            name: string;
            /**
             * @example [
             *       "read",
             *       "deploy"
             *     ]
             */
            scopes: string[];
            /**
             * Format: uuid
             * @description The only team in which it acts
             * @example null
             */
            teamId: string | null;
        };
        NewPasswordDto: {
            /**
             * @description Sessions that have ended
             * @example 2
             */
            endedSessions: number;
            /**
             * @description Identities at the OIDC provider that still log in; unlink those that you do not know
             * @example [
             *       "ada@id.example.org"
             *     ]
             */
            remainingIdentities: string[];
            /**
             * @description Passkeys that still log in; delete those that you do not know
             * @example [
             *       "laptop"
             *     ]
             */
            remainingPasskeys: string[];
            /** @description API tokens that still work: machines depend on them. Revoke those that somebody else may know. */
            remainingTokens: components["schemas"]["RemainingTokenDto"][];
        };
        NodeDto: {
            /** @example 0.1.0 */
            agentVersion?: string;
            /**
             * @description Whether its agent is connected right now
             * @example true
             */
            connected: boolean;
            /** @example 8 */
            cpus?: number;
            /** @example harbour-1 */
            hostname?: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @description As the agent found it when it started */
            isolation?: components["schemas"]["IsolationDto"];
            /**
             * Format: date-time
             * @description When the agent was last heard
             * @example 2026-01-01T00:00:00.000Z
             */
            lastSeenAt?: string;
            /** @example 16777216000 */
            memoryBytes?: number;
            /** @example local */
            name: string;
            /** @example linux-x64 */
            platform?: string;
        };
        NodePageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["NodeDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        OidcAuthorizationDto: {
            /**
             * @description Open it in a browser
             * @example https://login.example.org/authorize?client_id=hithe&response_type=code
             */
            authorizationUrl: string;
            /**
             * @description Seconds in which the browser must come back
             * @example 600
             */
            expiresIn: number;
        };
        OidcCodeDto: {
            /**
             * @description What the browser brought; it works once, for two minutes
             * @example oidc-3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            code: string;
            /**
             * @description The secret whose SHA-256 the log-in began with
             * @example dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
             */
            codeVerifier: string;
        };
        OidcLogoutDto: {
            /**
             * @description Open it in the browser; null when the provider has no such place
             * @example https://login.example.org/logout?client_id=hithe
             */
            logoutUrl: string | null;
        };
        OidcOptionDto: {
            /**
             * @description For the button that logs in with it
             * @example Harbour account
             */
            name: string;
        };
        PartHealthDto: {
            /**
             * @description What to do when it is not well
             * @example Look at control-plane.log.
             */
            fix?: string;
            /** @example PostgreSQL answers. */
            message: string;
            /** @example true */
            ok: boolean;
        };
        PasskeyAssertionDto: {
            /**
             * @description What `navigator.credentials.get` gave, by its `toJSON()`
             * @example {
             *       "id": "mX2sLr0Zy1k",
             *       "rawId": "mX2sLr0Zy1k",
             *       "type": "public-key",
             *       "response": {
             *         "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
             *         "authenticatorData": "SZYN5Q",
             *         "signature": "MEUCIQ",
             *         "userHandle": "MDE5OQ"
             *       }
             *     }
             */
            passkey: {
                [key: string]: unknown;
            };
        };
        PasskeyCreationDto: {
            /**
             * @description For `PublicKeyCredential.parseCreationOptionsFromJSON`, and then `navigator.credentials.create`
             * @example {
             *       "challenge": "q83vASNFZ4k",
             *       "rp": {
             *         "id": "localhost",
             *         "name": "Hithe"
             *       },
             *       "user": {
             *         "id": "MDE5OQ",
             *         "name": "ada@example.org"
             *       }
             *     }
             */
            publicKey: {
                [key: string]: unknown;
            };
        };
        PasskeyDto: {
            /**
             * @description Whether the device's maker keeps a copy, so that it survives the device
             * @example true
             */
            backedUp: boolean;
            /**
             * Format: date-time
             * @description When it was registered
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @description Names it in requests
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used; null: never
             * @example null
             */
            lastUsedAt: string | null;
            /**
             * @description How its owner knows it
             * @example Laptop
             */
            name: string;
        };
        PasskeyPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["PasskeyDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        PasskeyRequestDto: {
            /**
             * @description For `PublicKeyCredential.parseRequestOptionsFromJSON`, and then `navigator.credentials.get`
             * @example {
             *       "challenge": "q83vASNFZ4k",
             *       "rpId": "localhost",
             *       "userVerification": "required",
             *       "allowCredentials": [],
             *       "timeout": 300000
             *     }
             */
            publicKey: {
                [key: string]: unknown;
            };
        };
        PasswordResetLinkDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T01:00:00.000Z
             */
            expiresAt: string;
            /**
             * @description Works once; shown this once
             * @example https://hithe.example.org/password-reset#hithe_pr_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            link: string;
            /**
             * @description Whether it was also mailed to the user
             * @example false
             */
            mailed: boolean;
        };
        PermissionsDto: {
            /**
             * @description CASL rules, packed: `createMongoAbility(unpackRules(rules))` of `@casl/ability` answers as the server does. Each is [actions, subject, conditions?]; a right that no rule gives is not there.
             * @example [
             *       [
             *         "create",
             *         "Team"
             *       ],
             *       [
             *         "read,read-logs",
             *         "Project",
             *         {
             *           "teamId": {
             *             "$in": [
             *               "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
             *             ]
             *           }
             *         }
             *       ],
             *       [
             *         "deploy,operate,update",
             *         "Project",
             *         {
             *           "teamId": {
             *             "$in": [
             *               "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
             *             ]
             *           },
             *           "protected": false
             *         }
             *       ]
             *     ]
             */
            rules: unknown[][];
            /**
             * @description Changes when the rules do; also the ETag
             * @example f2vKx0cJ1bB0m6t3mJ5hPw
             */
            version: string;
        };
        /**
         * @description `none`: it is not touched
         * @enum {string}
         */
        PlanAction: "create" | "update" | "restart" | "none" | "remove";
        PlanChangeDto: {
            /**
             * @description `none`: it is not touched
             * @example update
             */
            action: components["schemas"]["PlanAction"];
            /** @example db */
            component: string;
            /**
             * @example [
             *       "version 17 → 18"
             *     ]
             */
            reasons: string[];
        };
        PlanCheckDto: {
            /**
             * @description What was checked; the code of a fault in the specification
             * @example listen
             */
            check: string;
            /** @example web */
            component?: string;
            /** @example Choose another network port with `listen`, or leave `listen` out to get a free one. */
            fix?: string;
            /** @example 8080 for "http" is held by "nginx" (pid 42) of uid 0 on 0.0.0.0. */
            message: string;
            /** @example error */
            status: components["schemas"]["PlanCheckStatus"];
        };
        /** @enum {string} */
        PlanCheckStatus: "ok" | "warn" | "error";
        PlanDto: {
            /** @description By component; empty when the specification has faults */
            changes: components["schemas"]["PlanChangeDto"][];
            /** @description Every check, failed or not */
            checks: components["schemas"]["PlanCheckDto"][];
            /**
             * @description Whether no check is an error
             * @example true
             */
            ok: boolean;
            /** @example guestbook */
            project: string;
            /** @description Which versions would run */
            versions: components["schemas"]["PlanVersionDto"][];
        };
        PlanVersionDto: {
            /** @example db */
            component: string;
            /**
             * @description Whether the node has it already
             * @example true
             */
            installed: boolean;
            /** @example postgres */
            port: string;
            /**
             * @description The exact version, once it is installed
             * @example 17.6-0+deb13u1
             */
            resolvedVersion?: string;
            /** @example 17 */
            version: string;
        };
        PlatformKeyDto: {
            /**
             * @description Whether it wraps new data keys
             * @example true
             */
            active: boolean;
            /**
             * Format: date-time
             * @example 2026-03-01T12:00:00.000Z
             */
            createdAt: string;
            /**
             * @description Made from the key, which it does not tell
             * @example 3f2a9c51b7d04e8895c6a1d2e3f40718
             */
            id: string;
            /**
             * @description How many data keys it wraps
             * @example 1204
             */
            rows: number;
        };
        PlatformKeyPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["PlatformKeyDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        PortDetailDto: {
            /** @example databases */
            category: string;
            /** @example The relational database */
            description: string;
            /** @description Where it listens */
            endpoints: components["schemas"]["PortEndpointDto"][];
            /**
             * @description What dependants can read, as ${component.NAME} in env
             * @example [
             *       "POSTGRES_URL"
             *     ]
             */
            exports: string[];
            /**
             * @example service
             * @enum {string}
             */
            kind: "toolchain" | "service" | "app";
            /** @example postgres */
            name: string;
            /**
             * @description Whether a component brings code
             * @example none
             * @enum {string}
             */
            source: "none" | "optional" | "required";
            /**
             * @description Whether it keeps data
             * @example true
             */
            stateful: boolean;
            /** @example PostgreSQL */
            title: string;
            /** @description What a component can set */
            vars: components["schemas"]["PortVarDto"][];
            /**
             * @description JSON Schema 2020-12 of `vars`
             * @example {
             *       "type": "object",
             *       "properties": {
             *         "POSTGRES_DB": {
             *           "type": "string"
             *         }
             *       }
             *     }
             */
            varsSchema: {
                [key: string]: unknown;
            };
            /**
             * @description Versions that can be installed, newest first
             * @example [
             *       "18",
             *       "17",
             *       "15",
             *       "13"
             *     ]
             */
            versions: string[];
        };
        PortDto: {
            /** @example databases */
            category: string;
            /** @example The relational database */
            description: string;
            /**
             * @example service
             * @enum {string}
             */
            kind: "toolchain" | "service" | "app";
            /** @example postgres */
            name: string;
            /** @example PostgreSQL */
            title: string;
            /**
             * @description Versions that can be installed, newest first
             * @example [
             *       "18",
             *       "17",
             *       "15",
             *       "13"
             *     ]
             */
            versions: string[];
        };
        PortEndpointDto: {
            /**
             * @description The network port that the software uses by custom
             * @example 5432
             */
            default?: number;
            /** @example sql */
            name: string;
            /**
             * @example tcp
             * @enum {string}
             */
            protocol: "http" | "tcp";
        };
        PortPageDto: {
            /** @description By name */
            items: components["schemas"]["PortDto"][];
            /**
             * @description Always null
             * @example null
             */
            nextCursor: string | null;
        };
        PortVarDto: {
            /** @example app */
            default?: string;
            /** @example Name of the database that is created */
            description: string;
            /**
             * @description Made up by the platform when nobody sets it
             * @example false
             */
            generated: boolean;
            /** @example POSTGRES_DB */
            name: string;
            /**
             * @description Whether a component must set it
             * @example false
             */
            required: boolean;
            /**
             * @description Never shown again once set
             * @example false
             */
            secret: boolean;
            /** @example string */
            type: string;
        };
        ProblemDto: {
            /**
             * @description Stable code for programs
             * @example PROJECT_NOT_FOUND
             */
            code: string;
            /**
             * @description What happened, for people
             * @example There is no project "guestbook" that you can see.
             */
            detail: string;
            /**
             * @description For programs: `requiredScope`, the scope that a token lacks
             * @example {
             *       "requiredScope": "deploy"
             *     }
             */
            details?: {
                [key: string]: unknown;
            };
            /** @description The single faults of an invalid request */
            errors?: components["schemas"]["FaultDto"][];
            /**
             * @description What to do next
             * @example See 'hithe projects' for the ones you can see.
             */
            fix?: string;
            /** @example /api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55 */
            instance: string;
            /**
             * @description Also in the X-Request-Id header and in the log
             * @example 0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21
             */
            requestId: string;
            /** @example 404 */
            status: number;
            /** @example There is no such thing */
            title: string;
            /**
             * @description Identifies the kind of problem
             * @example urn:hithe:problem:project-not-found
             */
            type: string;
        };
        ProjectDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example guestbook */
            name: string;
            /**
             * @description Whether developers need a grant to change what runs
             * @example false
             */
            protected: boolean;
            /**
             * @description The release that runs; null before the first deployment
             * @example 2
             */
            release: number | null;
            /**
             * @description What was applied last; secrets are hidden, and stay as they are when sent back so
             * @example {
             *       "name": "guestbook",
             *       "components": {
             *         "db": {
             *           "port": "postgres",
             *           "version": "17",
             *           "vars": {
             *             "POSTGRES_DB": "guestbook"
             *           }
             *         },
             *         "web": {
             *           "port": "nodejs-app",
             *           "version": "24",
             *           "source": {
             *             "path": "./app",
             *             "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
             *           },
             *           "needs": [
             *             "db"
             *           ],
             *           "env": {
             *             "DATABASE_URL": "${db.POSTGRES_URL}"
             *           }
             *         }
             *       }
             *     }
             */
            spec: {
                [key: string]: unknown;
            };
            /**
             * @description Grows with every change of `spec`; also the ETag
             * @example 3
             */
            specVersion: number;
            /**
             * @description `stopped` by somebody; `failed` by itself
             * @example running
             */
            state: components["schemas"]["ProjectState"];
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56
             */
            teamId: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            updatedAt: string;
        };
        ProjectGrantDto: {
            /** @example grace@example.org */
            email: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            projectId: string;
            /** @example developer */
            role: components["schemas"]["GrantRole"];
            /**
             * Format: uuid
             * @description The custom role, with `custom`
             * @example null
             */
            roleId: string | null;
            /**
             * @description The name of the role, built-in or custom
             * @example developer
             */
            roleName: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            since: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c59
             */
            userId: string;
        };
        ProjectHealthDto: {
            components: components["schemas"]["ComponentHealthDto"][];
            /**
             * @description Whether every component is healthy
             * @example false
             */
            healthy: boolean;
        };
        ProjectPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["ProjectDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        /**
         * @description A built-in role; or `roleId`
         * @enum {string}
         */
        ProjectRole: "admin" | "developer" | "viewer" | "auditor";
        ProjectSpecDto: {
            /**
             * @description The content of hithe.yaml; its JSON Schema is at /api/v1/schemas/project
             * @example {
             *       "name": "guestbook",
             *       "components": {
             *         "db": {
             *           "port": "postgres",
             *           "version": "17",
             *           "vars": {
             *             "POSTGRES_DB": "guestbook"
             *           }
             *         },
             *         "web": {
             *           "port": "nodejs-app",
             *           "version": "24",
             *           "source": {
             *             "path": "./app",
             *             "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
             *           },
             *           "needs": [
             *             "db"
             *           ],
             *           "env": {
             *             "DATABASE_URL": "${db.POSTGRES_URL}"
             *           }
             *         }
             *       }
             *     }
             */
            spec: {
                [key: string]: unknown;
            };
        };
        /**
         * @description `stopped` by somebody; `failed` by itself
         * @enum {string}
         */
        ProjectState: "new" | "deploying" | "running" | "stopped" | "failed" | "deleting";
        ProjectStatusDto: {
            /**
             * Format: uuid
             * @description The deployment that is under way
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            activeDeploymentId?: string;
            components: components["schemas"]["ComponentStatusDto"][];
            /**
             * @description That of the worst component
             * @example healthy
             */
            health: components["schemas"]["ComponentHealth"];
            /** @example guestbook */
            project: string;
            /** @example 2 */
            release: number | null;
            /** @example running */
            state: components["schemas"]["ProjectState"];
        };
        ProtectionDto: {
            /**
             * @description Whether developers need a grant to change what runs
             * @example true
             */
            protected: boolean;
        };
        PutGrantDto: {
            /**
             * @description Address of a member of the team; or `userId`
             * @example grace@example.org
             */
            email?: string;
            /**
             * @description A built-in role; or `roleId`
             * @example developer
             */
            role?: components["schemas"]["ProjectRole"];
            /**
             * Format: uuid
             * @description A custom role of the team; or `role`
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57
             */
            roleId?: string;
            /**
             * Format: uuid
             * @description A member or service account of the team; or `email`
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c59
             */
            userId?: string;
        };
        PutMemberDto: {
            /**
             * @description Address of an existing user
             * @example grace@example.org
             */
            email: string;
            /**
             * @description A built-in role; or `roleId`
             * @example developer
             */
            role?: components["schemas"]["TeamRole"];
            /**
             * Format: uuid
             * @description A custom role of the team; or `role`
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57
             */
            roleId?: string;
        };
        QuotaLimitsDto: {
            /**
             * @description Components of all projects
             * @example 60
             */
            components?: number | null;
            /**
             * @description CPU cores that all components may ask for together
             * @example 4.5
             */
            cpu?: number | null;
            /**
             * @description Bytes of all component directories
             * @example 53687091200
             */
            disk?: number | null;
            /**
             * @description Network ports that components listen on
             * @example 40
             */
            listenPorts?: number | null;
            /**
             * @description Bytes of memory that all components may ask for together
             * @example 8589934592
             */
            memory?: number | null;
            /**
             * @description Projects; null: no limit; absent: the platform's default
             * @example 20
             */
            projects?: number | null;
        };
        QuotaLineDto: {
            /**
             * @description Memory and disk in bytes, CPU in cores; null: no limit
             * @example 60
             */
            limit: number | null;
            /**
             * @description What the applied specifications ask for, deployed or not; this is what the limit is held against. Null for disk
             * @example 15
             */
            planned: number | null;
            /** @example components */
            resource: components["schemas"]["QuotaResource"];
            /**
             * @description Where the limit comes from
             * @example team
             */
            source: components["schemas"]["QuotaSource"];
            /**
             * @description What the running releases have; disk: what was measured last
             * @example 12
             */
            used: number;
        };
        /** @enum {string} */
        QuotaResource: "projects" | "components" | "memory" | "cpu" | "disk" | "listenPorts";
        /**
         * @description Where the limit comes from
         * @enum {string}
         */
        QuotaSource: "team" | "platform" | "none";
        ReauthenticateDto: {
            /**
             * @description What `navigator.credentials.get` gave, by its `toJSON()`
             * @example {
             *       "id": "mX2sLr0Zy1k",
             *       "rawId": "mX2sLr0Zy1k",
             *       "type": "public-key",
             *       "response": {
             *         "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
             *         "authenticatorData": "SZYN5Q",
             *         "signature": "MEUCIQ",
             *         "userHandle": "MDE5OQ"
             *       }
             *     }
             */
            passkey?: {
                [key: string]: unknown;
            };
            /**
             * Format: password
             * @description The password of the account
             * @example correct horse battery staple
             */
            password?: string;
            /**
             * @description A recovery code; each works once
             * @example k3vp-x7md-92hq-acwt
             */
            recoveryCode?: string;
            /**
             * @description The code that the authenticator app shows now; each works once
             * @example 492039
             */
            totp?: string;
        };
        RecoveryCodesDto: {
            /**
             * @description Each stands in for the second factor once; they are shown only now
             * @example [
             *       "k3vp-x7md-92hq-acwt",
             *       "p8dn-4jyx-rt6k-w2vm"
             *     ]
             */
            recoveryCodes: string[];
        };
        RefreshTokenDto: {
            /**
             * @description The refresh token of the last log-in or refresh; each works once
             * @example hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            refreshToken: string;
        };
        RegisteredPasskeyDto: {
            /**
             * @description Whether the device's maker keeps a copy, so that it survives the device
             * @example true
             */
            backedUp: boolean;
            /**
             * Format: date-time
             * @description When it was registered
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @description Names it in requests
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used; null: never
             * @example null
             */
            lastUsedAt: string | null;
            /**
             * @description How its owner knows it
             * @example Laptop
             */
            name: string;
            /**
             * @description With the first factor: codes that stand in for it, each once; they are shown only now
             * @example [
             *       "k3vp-x7md-92hq-acwt",
             *       "p8dn-4jyx-rt6k-w2vm"
             *     ]
             */
            recoveryCodes?: string[];
        };
        RegisterPasskeyDto: {
            /**
             * @description How its owner knows it
             * @example Laptop
             */
            name: string;
            /**
             * @description What `navigator.credentials.create` gave, by its `toJSON()`
             * @example {
             *       "id": "mX2sLr0Zy1k",
             *       "rawId": "mX2sLr0Zy1k",
             *       "type": "public-key",
             *       "response": {
             *         "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0",
             *         "attestationObject": "o2NmbXRkbm9uZQ"
             *       }
             *     }
             */
            passkey: {
                [key: string]: unknown;
            };
        };
        RemainingTokenDto: {
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example nightly deploy */
            name: string;
        };
        RenamePasskeyDto: {
            /**
             * @description How its owner knows it
             * @example Old laptop
             */
            name: string;
        };
        RequestPasswordResetDto: {
            /** @example ada@example.org */
            email: string;
        };
        RevealedVariableDto: {
            /**
             * @description The component that it belongs to; null: the project
             * @example web
             */
            component: string | null;
            /**
             * @description What it holds
             * @example secret
             * @enum {string}
             */
            kind: "plain" | "secret" | "reference";
            /** @example API_KEY */
            name: string;
            /**
             * @description Where the value comes from
             * @example component
             * @enum {string}
             */
            origin: "component" | "project" | "file" | "generated";
            /**
             * @description The text; null for a reference that no deploy has read yet
             * @example sk_live_51H8
             */
            value: string | null;
            /** @example 3 */
            version: number | null;
        };
        RevealedVariablesDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["RevealedVariableDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        RevealVariablesDto: {
            /**
             * @description Everything that this component gets; absent: the variables of the project
             * @example web
             */
            component?: string;
            /**
             * @description Absent: all secrets
             * @example [
             *       "API_KEY"
             *     ]
             */
            names?: string[];
        };
        RoleDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /** @example Deploys what is ready. */
            description: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57
             */
            id: string;
            /** @example release-manager */
            name: string;
            rules: components["schemas"]["CustomRuleDto"][];
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            updatedAt: string;
        };
        RolePageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["RoleDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        RoleTableDto: {
            /** @description What the table takes for granted */
            granted: components["schemas"]["RoleTableRowDto"][];
            /**
             * @description The columns
             * @example [
             *       "platform-admin",
             *       "owner",
             *       "admin",
             *       "developer",
             *       "viewer",
             *       "auditor",
             *       "machine-token"
             *     ]
             */
            roles: components["schemas"]["TableRole"][];
            /** @description The table */
            rows: components["schemas"]["RoleTableRowDto"][];
        };
        RoleTableRowDto: {
            /**
             * @description What each role may do with it, in words; empty: nothing
             * @example {
             *       "owner": "✓",
             *       "developer": "✓; a protected project by list",
             *       "viewer": ""
             *     }
             */
            cells: {
                [key: string]: string;
            };
            /** @example deploy */
            id: string;
            /**
             * @description The actions of the line, by kind of thing
             * @example {
             *       "Project": [
             *         "deploy",
             *         "operate",
             *         "update"
             *       ]
             *     }
             */
            rights: {
                [key: string]: string[];
            };
            /**
             * @description What the line is about
             * @example deploy, start, stop, rollback, restart, snapshot
             */
            title: string;
        };
        RotateSigningKeyDto: {
            /**
             * @description Refuse the tokens of all earlier keys at once
             * @example false
             */
            endPrevious?: boolean;
        };
        ScopedRightDto: {
            /** @example deploy */
            action: string;
            /** @example Project */
            subject: string;
        };
        ScopeDto: {
            /** @example Change the specification of projects that exist, deploy, start, stop, restart. */
            description: string;
            /** @description The rights that it lets through, if the owner of the token has them */
            rights: components["schemas"]["ScopedRightDto"][];
            /** @example deploy */
            scope: components["schemas"]["ScopeName"];
        };
        ScopeListDto: {
            items: components["schemas"]["ScopeDto"][];
            /**
             * @description Always null: the list is short
             * @example null
             */
            nextCursor: string | null;
        };
        /** @enum {string} */
        ScopeName: "read" | "deploy" | "secret:write";
        SecondFactorChallengeDto: {
            /**
             * @description Send it with the second proof; it works once
             * @example hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            challenge: string;
            /**
             * @description Seconds in which the second proof must come
             * @example 300
             */
            expiresIn: number;
            /**
             * @example [
             *       "totp",
             *       "recovery-code"
             *     ]
             */
            methods: components["schemas"]["SecondFactorMethod"][];
        };
        SecondFactorDto: {
            /**
             * @description From the answer of the log-in
             * @example hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            challenge: string;
            /**
             * @description What `navigator.credentials.get` gave, by its `toJSON()`
             * @example {
             *       "id": "mX2sLr0Zy1k",
             *       "rawId": "mX2sLr0Zy1k",
             *       "type": "public-key",
             *       "response": {
             *         "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
             *         "authenticatorData": "SZYN5Q",
             *         "signature": "MEUCIQ",
             *         "userHandle": "MDE5OQ"
             *       }
             *     }
             */
            passkey?: {
                [key: string]: unknown;
            };
            /**
             * @description A recovery code; each works once
             * @example k3vp-x7md-92hq-acwt
             */
            recoveryCode?: string;
            /**
             * @description The code that the authenticator app shows now; each works once
             * @example 492039
             */
            totp?: string;
        };
        /** @enum {string} */
        SecondFactorMethod: "totp" | "passkey" | "recovery-code";
        SecondFactorsDto: {
            /**
             * @description Whether there is a passkey
             * @example false
             */
            passkeys: boolean;
            /**
             * @description Recovery codes that are not used yet
             * @example 9
             */
            recoveryCodesLeft: number;
            /**
             * @description Whether the operator demands a second factor of the caller
             * @example false
             */
            required: boolean;
            /**
             * @description Whether an authenticator app is in use
             * @example true
             */
            totp: boolean;
        };
        SecretHookDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @description The user with whose right it acts
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            createdBy: string;
            /** @example true */
            enabled: boolean;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example deploy */
            kind: components["schemas"]["HookKind"];
            /** @example github */
            name: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            projectId: string;
            /**
             * @description Shown this once; deliveries are signed with it as the Standard Webhooks specification says
             * @example whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
             */
            secret: string;
            /**
             * Format: date-time
             * @description When its present secret was made
             * @example 2026-01-01T00:00:00.000Z
             */
            secretSince: string;
            /**
             * @description Where deliveries go
             * @example https://hithe.example.org/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            url: string;
        };
        ServiceAccountDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description Under which lists and the audit log name it; nobody can write to it
             * @example deployer@web-shop.service
             */
            email: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example deployer */
            name: string;
            /**
             * @description null when it was taken out of the team
             * @example developer
             */
            role: components["schemas"]["AnyRole"] | null;
            /**
             * Format: uuid
             * @description The custom role, with `custom`
             * @example null
             */
            roleId: string | null;
            /**
             * @description The name of the role, built-in or custom
             * @example developer
             */
            roleName: string | null;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string;
        };
        ServiceAccountPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["ServiceAccountDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        SessionDto: {
            /**
             * @description Network address, then
             * @example 203.0.113.7
             */
            address: string;
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description Whether this request belongs to it
             * @example true
             */
            current: boolean;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * Format: date-time
             * @description When its tokens were last refreshed, which is every few minutes while it is in use
             * @example 2026-01-01T08:30:00.000Z
             */
            lastUsedAt: string;
            /**
             * @description With what it began
             * @example [
             *       "password",
             *       "totp"
             *     ]
             */
            methods: string[];
            /**
             * @description What the client says of itself
             * @example hithe-cli/1.0.0
             */
            userAgent: string;
        };
        SessionPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["SessionDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        SetVariablesDto: {
            /**
             * @description The component that alone gets them; absent: all components of the project that run your code
             * @example web
             */
            component?: string;
            /** @description Those that are not named keep their values */
            variables: components["schemas"]["VariableInputDto"][];
        };
        SignedHeadDto: {
            /**
             * @description When it was signed
             * @example 2026-01-31T09:30:00.123Z
             */
            at: string;
            /**
             * @description Its hash
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            hash: string;
            /**
             * Format: uuid
             * @description The installation
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            installation: string;
            /**
             * @description The key that signed it
             * @example 9f86d081884c7d65
             */
            keyId: string;
            /**
             * @description Number of the event
             * @example 4711
             */
            seq: number;
            /**
             * @description Ed25519, base64
             * @example Vx0B8mXgqfWk8kPpE1q3yXbS1v0C2kzq1n5Hc2a0yqkJm1zP3b0mJYJ1bqT8m1Jb5v3b3m9W5b3m2u1cQy8BAw==
             */
            signature: string;
        };
        SigningKeyDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description Whether it signs
             * @example true
             */
            current: boolean;
            /**
             * Format: uuid
             * @description The `kid` of its tokens
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * Format: date-time
             * @description When its last token has expired; null while it signs
             * @example null
             */
            verifiesUntil: string | null;
        };
        SigningKeyListDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["SigningKeyDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        SignUpDto: {
            /**
             * @description Address to log in with; compared in lower case
             * @example ada@example.org
             */
            email: string;
            /**
             * Format: password
             * @description Any characters; nothing that is easy to guess
             * @example correct horse battery staple
             */
            password: string;
        };
        /**
         * @description Who gets an account
         * @enum {string}
         */
        SignUpMode: "invite" | "open" | "oidc";
        SourceDto: {
            /**
             * @description Put it into `source.digest` of the component
             * @example sha256-0000000000000000000000000000000000000000000000000000000000000000
             */
            digest: string;
            /**
             * @description Bytes
             * @example 18224
             */
            size: number;
        };
        /**
         * @description `deploy` brings the project to its specification; the others change what runs
         * @enum {string}
         */
        StartableDeploymentKind: "deploy" | "start" | "stop" | "restart";
        StartedByHookDto: {
            /**
             * Format: uuid
             * @description Follow it at /api/v1/deployments/{id}
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            deploymentId: string;
            /** @example deploy */
            kind: components["schemas"]["HookKind"];
        };
        /**
         * @description The columns
         * @enum {string}
         */
        TableRole: "platform-admin" | "owner" | "admin" | "developer" | "viewer" | "auditor" | "machine-token";
        TeamDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example Harbour crew */
            name: string;
            /**
             * @description Number of the tenant: its uid is the first tenant uid plus this
             * @example 3
             */
            number: number;
            /**
             * @description Whether it is a user's own team
             * @example false
             */
            personal: boolean;
            /**
             * @description Role of the caller; null for a platform administrator who is no member
             * @example owner
             */
            role: components["schemas"]["AnyRole"] | null;
            /** @example harbour-crew */
            slug: string;
        };
        TeamPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["TeamDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        TeamQuotaDto: {
            /** @description The team's own limits; the others are the platform's */
            own: components["schemas"]["QuotaLimitsDto"];
            /** @description Every resource, limited or not */
            resources: components["schemas"]["QuotaLineDto"][];
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56
             */
            teamId: string;
        };
        /**
         * @description A built-in role; or `roleId`
         * @enum {string}
         */
        TeamRole: "owner" | "admin" | "developer" | "viewer" | "auditor";
        TokenDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * Format: uuid
             * @description The user who made it
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            createdBy: string;
            /** @example false */
            expired: boolean;
            /**
             * Format: date-time
             * @example 2026-04-01T00:00:00.000Z
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /** @example 198.51.100.7 */
            lastUsedAddress: string | null;
            /**
             * Format: date-time
             * @description To the minute
             * @example 2026-01-02T08:30:00.000Z
             */
            lastUsedAt: string | null;
            /** @example github-actions */
            name: string;
            /**
             * @example [
             *       "read",
             *       "deploy:0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
             *     ]
             */
            scopes: string[];
            /**
             * Format: uuid
             * @description The only team in which it acts
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            teamId: string | null;
            /**
             * Format: uuid
             * @description The user or service account with whose rights it acts
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            userId: string;
        };
        TokenPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["TokenDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        TotpCodeDto: {
            /**
             * @description The code that the app shows now
             * @example 492039
             */
            code: string;
        };
        TotpEnrolmentDto: {
            /**
             * @description Base32; for typing it into the app
             * @example JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP
             */
            secret: string;
            /**
             * @description For showing it as a QR code
             * @example otpauth://totp/Hithe:ada%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Hithe
             */
            uri: string;
        };
        TransferTeamDto: {
            /**
             * @description Address of the user who shall own the team
             * @example grace@example.org
             */
            email: string;
        };
        UpdateHookDto: {
            /**
             * @description A hook that is off refuses every delivery
             * @example false
             */
            enabled: boolean;
        };
        UpdateRoleDto: {
            /**
             * @description What the role is for
             * @example Deploys what is ready.
             */
            description?: string;
            /**
             * @description Name within the team
             * @example release-manager
             */
            name?: string;
            /**
             * @description CASL rules: `action` (one or a list), `subject` (Project, Team or AuditEvent), and for projects `conditions` {id: {$in: […]}, protected}; `inverted` takes away what rules before it gave. They hold in this team alone.
             * @example [
             *       {
             *         "action": [
             *           "read",
             *           "read-logs",
             *           "deploy",
             *           "operate",
             *           "update"
             *         ],
             *         "subject": "Project"
             *       },
             *       {
             *         "action": [
             *           "deploy",
             *           "operate",
             *           "update"
             *         ],
             *         "subject": "Project",
             *         "conditions": {
             *           "protected": true
             *         },
             *         "inverted": true
             *       }
             *     ]
             */
            rules?: {
                [key: string]: unknown;
            }[];
        };
        UpdateServiceAccountDto: {
            /**
             * @description A built-in role, never owner: a team needs a person; or `roleId`
             * @example developer
             */
            role?: components["schemas"]["ProjectRole"];
            /**
             * Format: uuid
             * @description A custom role of the team; or `role`
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            roleId?: string;
        };
        UpdateTeamDto: {
            /**
             * @description Name for people; the slug never changes
             * @example Harbour crew
             */
            name: string;
        };
        UsageDto: {
            /** @example web */
            component?: string;
            /**
             * @description Processor time in seconds, of all processes
             * @example 5210.4
             */
            cpuSeconds: number;
            /**
             * Format: date
             * @description UTC
             * @example 2026-01-31
             */
            day?: string;
            /**
             * @description Memory in GB (2³⁰ bytes) times hours; shared memory counts once
             * @example 12.25
             */
            memoryGbHours: number;
            /** @example guestbook */
            project?: string;
            /**
             * Format: uuid
             * @description It may be deleted
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            projectId?: string;
            /**
             * @description Stored data in GB (2³⁰ bytes) times hours
             * @example 48
             */
            storedGbHours: number;
            /**
             * @description Most bytes stored on one of the days
             * @example 2147483648
             */
            storedMostBytes: number;
            /**
             * @description Slug
             * @example shop
             */
            team?: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56
             */
            teamId?: string;
        };
        UsagePageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["UsageDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        UserDto: {
            /**
             * Format: date-time
             * @example 2026-01-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description A disabled user cannot log in, and their sessions have ended
             * @example false
             */
            disabled: boolean;
            /** @example ada@example.org */
            email: string;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
            /**
             * @description Whether they administer the platform: users and nodes
             * @example false
             */
            platformAdmin: boolean;
        };
        /**
         * @description A `service` acts with API tokens alone
         * @enum {string}
         */
        UserKind: "person" | "service";
        UserPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["UserDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        VariableAuthorDto: {
            /**
             * @description Null when the account is gone
             * @example dana@example.org
             */
            email: string | null;
            /**
             * Format: uuid
             * @example 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55
             */
            id: string;
        };
        VariableChangeDto: {
            /**
             * @description What happened
             * @example changed
             * @enum {string}
             */
            action: "created" | "changed" | "unchanged" | "removed";
            /**
             * @description The component that it belongs to; null: the project
             * @example web
             */
            component: string | null;
            /**
             * @example secret
             * @enum {string}
             */
            kind: "plain" | "secret" | "reference";
            /** @example API_KEY */
            name: string;
            /**
             * @description The version that counts now
             * @example 3
             */
            version?: number;
        };
        VariableChangesDto: {
            /**
             * @description Whether something is different now; it takes effect with the next deploy
             * @example true
             */
            changed: boolean;
            /** @description One entry for each variable that was named */
            changes: components["schemas"]["VariableChangeDto"][];
        };
        VariableDto: {
            /**
             * @description The component that it belongs to; null: the project
             * @example web
             */
            component: string | null;
            /**
             * @description Whether what runs has this version; false: it takes effect with the next deploy; null: nothing runs that it reaches
             * @example true
             */
            inUse: boolean | null;
            /**
             * @description What it holds
             * @example secret
             * @enum {string}
             */
            kind: "plain" | "secret" | "reference";
            /** @example API_KEY */
            name: string;
            /**
             * @description Where the value comes from; the first of these that has one wins
             * @example component
             * @enum {string}
             */
            origin: "component" | "project" | "file" | "generated";
            /**
             * @description Origins whose value this one hides
             * @example [
             *       "file"
             *     ]
             */
            overrides: ("component" | "project" | "file" | "generated")[];
            /**
             * Format: date-time
             * @description When it was set
             * @example 2026-03-01T12:00:00.000Z
             */
            setAt: string | null;
            /** @description Who set it; null for what hithe.yaml or the platform gives */
            setBy: components["schemas"]["VariableAuthorDto"] | null;
            /**
             * @description A plain text or the address of a reference; •••••••• stands for every secret
             * @example ••••••••
             */
            value: string | null;
            /**
             * @description Null for plain texts of hithe.yaml
             * @example 3
             */
            version: number | null;
        };
        VariableInputDto: {
            /**
             * @description `plain` is shown to whoever may see the project; `reference` names a secret of another keeper, e.g. vault:kv/hithe/acme/shop#api_key
             * @default secret
             * @example secret
             * @enum {string}
             */
            kind: "plain" | "secret" | "reference";
            /**
             * @description Letters, digits and "_"
             * @example API_KEY
             */
            name: string;
            /**
             * @description At most 65536 bytes; of a reference: its address
             * @example sk_live_51H8
             */
            value: string;
        };
        VariablePageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["VariableDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        VariableVersionDto: {
            /**
             * @description `removed`: it was taken away
             * @example secret
             * @enum {string}
             */
            kind: "plain" | "secret" | "reference" | "removed";
            /**
             * Format: date-time
             * @description When it was set
             * @example 2026-03-01T12:00:00.000Z
             */
            setAt: string;
            /** @description Who set it; null for what hithe.yaml or the platform gives */
            setBy: components["schemas"]["VariableAuthorDto"] | null;
            /**
             * @description A plain text or the address of a reference; •••••••• stands for every secret
             * @example ••••••••
             */
            value: string | null;
            /** @example 3 */
            version: number;
        };
        VariableVersionPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["VariableVersionDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
        };
        VerificationDto: {
            /**
             * @description Events before those, in archives
             * @example 0
             */
            archived: number;
            /**
             * @description Events whose hashes were made again
             * @example 4711
             */
            checked: number;
            /**
             * @description First event in the database; 0: none
             * @example 1
             */
            from: number;
            /**
             * @description Signed heads that the log was compared with
             * @example 812
             */
            heads: number;
            /**
             * @description Whether the log is whole
             * @example true
             */
            ok: boolean;
            /**
             * @description How many problems there are
             * @example 0
             */
            problemCount: number;
            /** @description The first problems, by event */
            problems: components["schemas"]["ChainProblemDto"][];
            /**
             * @description Last event in the database; 0: none
             * @example 4711
             */
            to: number;
        };
        VerifyAuditDto: {
            /**
             * @description Read the files of archived segments too
             * @default false
             * @example false
             */
            archives: boolean;
            /**
             * @description Signed heads that you have kept yourself
             * @example []
             */
            heads?: components["schemas"]["SignedHeadDto"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAuditArchives: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "firstSeq": 1,
                     *           "lastSeq": 4711,
                     *           "previousHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "lastHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "firstAt": "2026-01-01T08:00:00.000Z",
                     *           "lastAt": "2026-01-31T09:30:00.000Z",
                     *           "file": "audit-000000000001-000000004711.jsonl.gz",
                     *           "fileSha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "archivedAt": "2026-02-01T03:37:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["AuditSegmentListDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/archives",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/archives",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createAuditArchive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "before": "2026-01-01T00:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["CreateArchiveDto"];
            };
        };
        responses: {
            /** @description The segment */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "firstSeq": 1,
                     *       "lastSeq": 4711,
                     *       "previousHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *       "lastHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *       "firstAt": "2026-01-01T08:00:00.000Z",
                     *       "lastAt": "2026-01-31T09:30:00.000Z",
                     *       "file": "audit-000000000001-000000004711.jsonl.gz",
                     *       "fileSha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *       "archivedAt": "2026-02-01T03:37:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditSegmentDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/audit/archives",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/archives",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/archives",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/audit/archives",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/audit/archives",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listAuditEvents: {
        parameters: {
            query?: {
                /** @description What was done: an action, or how it begins */
                action?: string;
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
                /** @description How it ended */
                outcome?: "success" | "denied" | "failed";
                /** @description Events of this project */
                projectId?: string;
                /** @description Not before this moment */
                since?: string;
                /** @description What it was done to: the id or the name of anything */
                subject?: string;
                /** @description Events of this team */
                teamId?: string;
                /** @description Words in the action, the actor, the subject, the address or the request id */
                text?: string;
                /** @description Before this moment */
                until?: string;
                /** @description Who did it: the id or the e-mail address of a user */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "seq": 4711,
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "at": "2026-01-31T09:30:00.123456Z",
                     *           "actorKind": "user",
                     *           "actorId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "actorEmail": "zoe@example.org",
                     *           "sessionId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "tokenId": null,
                     *           "part": null,
                     *           "address": "192.0.2.7",
                     *           "requestId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "action": "project.applied",
                     *           "outcome": "success",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "subjectType": "project",
                     *           "subjectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "subjectName": "guestbook",
                     *           "before": {
                     *             "specVersion": 1
                     *           },
                     *           "after": {
                     *             "specVersion": 2
                     *           },
                     *           "details": null,
                     *           "previousHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["AuditEventPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/audit/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/audit/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getAuditEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 4711,
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "at": "2026-01-31T09:30:00.123456Z",
                     *       "actorKind": "user",
                     *       "actorId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "actorEmail": "zoe@example.org",
                     *       "sessionId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "tokenId": null,
                     *       "part": null,
                     *       "address": "192.0.2.7",
                     *       "requestId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "action": "project.applied",
                     *       "outcome": "success",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "subjectType": "project",
                     *       "subjectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "subjectName": "guestbook",
                     *       "before": {
                     *         "specVersion": 1
                     *       },
                     *       "after": {
                     *         "specVersion": 2
                     *       },
                     *       "details": null,
                     *       "previousHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *       "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditEventDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/audit/events/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/events/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/events/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/audit/events/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    exportAuditEvents: {
        parameters: {
            query?: {
                /** @description What was done: an action, or how it begins */
                action?: string;
                /** @description With `jsonl`: also number and hashes, nothing else, of the events in between that are filtered out or not yours to read, so that the chain can be followed */
                chain?: "true" | "false";
                /** @description JSON lines, or CSV with a header */
                format?: "jsonl" | "csv";
                /** @description How it ended */
                outcome?: "success" | "denied" | "failed";
                /** @description Events of this project */
                projectId?: string;
                /** @description Not before this moment */
                since?: string;
                /** @description What it was done to: the id or the name of anything */
                subject?: string;
                /** @description Events of this team */
                teamId?: string;
                /** @description Words in the action, the actor, the subject, the address or the request id */
                text?: string;
                /** @description Before this moment */
                until?: string;
                /** @description Who did it: the id or the e-mail address of a user */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example {"seq":4711,"action":"project.applied"} */
                    "application/x-ndjson": string;
                    /**
                     * @example seq,at,action
                     *     4711,2026-01-31T09:30:00.123456Z,project.applied
                     */
                    "text/csv": string;
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/audit/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/audit/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/audit/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    followAuditEvents: {
        parameters: {
            query?: {
                /** @description What was done: an action, or how it begins */
                action?: string;
                /** @description How it ended */
                outcome?: "success" | "denied" | "failed";
                /** @description Events of this project */
                projectId?: string;
                /** @description Not before this moment */
                since?: string;
                /** @description What it was done to: the id or the name of anything */
                subject?: string;
                /** @description Events of this team */
                teamId?: string;
                /** @description Words in the action, the actor, the subject, the address or the request id */
                text?: string;
                /** @description Before this moment */
                until?: string;
                /** @description Who did it: the id or the e-mail address of a user */
                user?: string;
            };
            header?: {
                /** @description Number of the last event that was seen */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example id: 4711
                     *     event: event
                     *     data: {"seq":4711,"action":"project.applied","outcome":"success"}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/audit/follow",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/follow",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/follow",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/audit/follow",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getAuditKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "installation": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "publicKeys": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditKeysDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    verifyAudit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "heads": [],
                 *       "archives": false
                 *     }
                 */
                "application/json": components["schemas"]["VerifyAuditDto"];
            };
        };
        responses: {
            /** @description What was found; `ok` is false when the log is not whole */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ok": true,
                     *       "checked": 4711,
                     *       "heads": 812,
                     *       "from": 1,
                     *       "to": 4711,
                     *       "archived": 0,
                     *       "problems": [
                     *         {
                     *           "seq": 4711,
                     *           "problem": "edited",
                     *           "message": "Event 4711 (member.added) was edited: its content does not have its hash."
                     *         }
                     *       ],
                     *       "problemCount": 0
                     *     }
                     */
                    "application/json": components["schemas"]["VerificationDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/audit/verify",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/audit/verify",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/audit/verify",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    acceptInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                 *       "password": "correct horse battery staple"
                 *     }
                 */
                "application/json": components["schemas"]["AcceptInvitationDto"];
            };
        };
        responses: {
            /** @description Tokens of the first session */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/auth/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/auth/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/auth/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    lookUpInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE"
                 *     }
                 */
                "application/json": components["schemas"]["InvitationTokenDto"];
            };
        };
        responses: {
            /** @description The invitation */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "email": "grace@example.org",
                     *       "team": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "name": "Harbour crew"
                     *       },
                     *       "role": "developer",
                     *       "invitedBy": "ada@example.org",
                     *       "expiresAt": "2026-01-08T00:00:00.000Z",
                     *       "hasAccount": false
                     *     }
                     */
                    "application/json": components["schemas"]["InvitationViewDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/invitations/lookup",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/auth/invitations/lookup",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/invitations/lookup",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getJwks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "kty": "EC",
                     *           "crv": "P-256",
                     *           "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                     *           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                     *           "kid": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "use": "sig",
                     *           "alg": "ES256"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["JwksDto"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.org",
                 *       "password": "correct horse battery staple"
                 *     }
                 */
                "application/json": components["schemas"]["LoginDto"];
            };
        };
        responses: {
            /** @description Tokens of the new session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description The password is right; one more proof is needed */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "challenge": "hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "methods": [
                     *         "totp",
                     *         "recovery-code"
                     *       ],
                     *       "expiresIn": 300
                     *     }
                     */
                    "application/json": components["schemas"]["SecondFactorChallengeDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/login",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/login",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/login",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/login",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    loginWithSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "totp": "492039",
                 *       "recoveryCode": "k3vp-x7md-92hq-acwt",
                 *       "passkey": {
                 *         "id": "mX2sLr0Zy1k",
                 *         "rawId": "mX2sLr0Zy1k",
                 *         "type": "public-key",
                 *         "response": {
                 *           "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
                 *           "authenticatorData": "SZYN5Q",
                 *           "signature": "MEUCIQ",
                 *           "userHandle": "MDE5OQ"
                 *         }
                 *       },
                 *       "challenge": "hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE"
                 *     }
                 */
                "application/json": components["schemas"]["SecondFactorDto"];
            };
        };
        responses: {
            /** @description Tokens of the new session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/login/second-factor",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/login/second-factor",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/login/second-factor",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getSecondFactorPasskeyOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "challenge": "hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE"
                 *     }
                 */
                "application/json": components["schemas"]["ChallengeDto"];
            };
        };
        responses: {
            /** @description For the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "publicKey": {
                     *         "challenge": "q83vASNFZ4k",
                     *         "rpId": "localhost",
                     *         "userVerification": "required",
                     *         "allowCredentials": [],
                     *         "timeout": 300000
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["PasskeyRequestDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/login/second-factor/passkey-options",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/login/second-factor/passkey-options",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE"
                 *     }
                 */
                "application/json": components["schemas"]["RefreshTokenDto"];
            };
        };
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/logout",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    beginOidc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "codeChallenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                 *       "redirectUri": "http://127.0.0.1:49200/"
                 *     }
                 */
                "application/json": components["schemas"]["BeginOidcDto"];
            };
        };
        responses: {
            /** @description Where to log in */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "authorizationUrl": "https://login.example.org/authorize?client_id=hithe&response_type=code",
                     *       "expiresIn": 600
                     *     }
                     */
                    "application/json": components["schemas"]["OidcAuthorizationDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/oidc/authorizations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/auth/oidc/authorizations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/oidc/authorizations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/oidc/authorizations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    oidcCallback: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page that shows the code */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description On to whoever began */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/oidc/callback",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/oidc/callback",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    logoutWithOidc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE"
                 *     }
                 */
                "application/json": components["schemas"]["RefreshTokenDto"];
            };
        };
        responses: {
            /** @description The session here has ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "logoutUrl": "https://login.example.org/logout?client_id=hithe"
                     *     }
                     */
                    "application/json": components["schemas"]["OidcLogoutDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/oidc/logout",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/auth/oidc/logout",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/oidc/logout",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    loginWithOidc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "oidc-3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                 *       "codeVerifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
                 *     }
                 */
                "application/json": components["schemas"]["OidcCodeDto"];
            };
        };
        responses: {
            /** @description Tokens of the new session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description The provider knows you; a second proof is needed */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "challenge": "hithe_lc_3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "methods": [
                     *         "totp",
                     *         "recovery-code"
                     *       ],
                     *       "expiresIn": 300
                     *     }
                     */
                    "application/json": components["schemas"]["SecondFactorChallengeDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/oidc/token",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/oidc/token",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/auth/oidc/token",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getAuthOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ways in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "signUp": "invite",
                     *       "mail": true,
                     *       "oidc": {
                     *         "name": "Harbour account"
                     *       },
                     *       "shortestPassword": 12,
                     *       "longestPassword": 256
                     *     }
                     */
                    "application/json": components["schemas"]["AuthOptionsDto"];
                };
            };
        };
    };
    getPasskeyLoginOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description For the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "publicKey": {
                     *         "challenge": "q83vASNFZ4k",
                     *         "rpId": "localhost",
                     *         "userVerification": "required",
                     *         "allowCredentials": [],
                     *         "timeout": 300000
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["PasskeyRequestDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/passkeys/options",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    loginWithPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "passkey": {
                 *         "id": "mX2sLr0Zy1k",
                 *         "rawId": "mX2sLr0Zy1k",
                 *         "type": "public-key",
                 *         "response": {
                 *           "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
                 *           "authenticatorData": "SZYN5Q",
                 *           "signature": "MEUCIQ",
                 *           "userHandle": "MDE5OQ"
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["PasskeyAssertionDto"];
            };
        };
        responses: {
            /** @description Tokens of the new session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/passkeys/verify",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/passkeys/verify",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/passkeys/verify",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    confirmPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "hithe_pr_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                 *       "password": "tulips never dance alone"
                 *     }
                 */
                "application/json": components["schemas"]["ConfirmPasswordResetDto"];
            };
        };
        responses: {
            /** @description What has ended with the password before */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "endedSessions": 2,
                     *       "remainingTokens": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "nightly deploy"
                     *         }
                     *       ],
                     *       "remainingPasskeys": [
                     *         "laptop"
                     *       ],
                     *       "remainingIdentities": [
                     *         "ada@id.example.org"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["NewPasswordDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/password-reset/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/auth/password-reset/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/password-reset/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/password-reset/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    requestPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.org"
                 *     }
                 */
                "application/json": components["schemas"]["RequestPasswordResetDto"];
            };
        };
        responses: {
            /** @description What happens next */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "mail": true,
                     *       "message": "If the address is right, a mail with a link is on its way."
                     *     }
                     */
                    "application/json": components["schemas"]["AcceptedRequestDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/password-reset/request",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/password-reset/request",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    refreshTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE"
                 *     }
                 */
                "application/json": components["schemas"]["RefreshTokenDto"];
            };
        };
        responses: {
            /** @description The next tokens of the session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/refresh",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/refresh",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/refresh",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    signUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.org",
                 *       "password": "correct horse battery staple"
                 *     }
                 */
                "application/json": components["schemas"]["SignUpDto"];
            };
        };
        responses: {
            /** @description The account is open: tokens of its first session */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description A mail says how to go on */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "mail": true,
                     *       "message": "If the address is right, a mail with a link is on its way."
                     *     }
                     */
                    "application/json": components["schemas"]["AcceptedRequestDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/sign-up",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/auth/sign-up",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/auth/sign-up",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/sign-up",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/sign-up",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    confirmSignUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "hithe_su_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                 *       "password": "correct horse battery staple"
                 *     }
                 */
                "application/json": components["schemas"]["ConfirmSignUpDto"];
            };
        };
        responses: {
            /** @description Tokens of the first session */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accessToken": "eyJhbGciOiJFUzI1NiJ9.eyJ0eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl",
                     *       "refreshToken": "hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresIn": 900,
                     *       "user": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "email": "ada@example.org",
                     *         "platformAdmin": false,
                     *         "disabled": false,
                     *         "createdAt": "2026-01-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["GrantDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/sign-up/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/auth/sign-up/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/auth/sign-up/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/auth/sign-up/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/auth/sign-up/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listSigningKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All keys that are kept, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "current": true,
                     *           "verifiesUntil": null
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["SigningKeyListDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/signing-keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/auth/signing-keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    rotateSigningKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "endPrevious": false
                 *     }
                 */
                "application/json": components["schemas"]["RotateSigningKeyDto"];
            };
        };
        responses: {
            /** @description The new key */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "current": true,
                     *       "verifiesUntil": null
                     *     }
                     */
                    "application/json": components["schemas"]["SigningKeyDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/auth/signing-keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/auth/signing-keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/auth/signing-keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getDeployment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                deploymentId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The deployment */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "kind": "deploy",
                     *       "state": "succeeded",
                     *       "release": 2,
                     *       "requestedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *       "components": [
                     *         "web"
                     *       ],
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "finishedAt": "2026-01-01T00:00:03.000Z",
                     *       "steps": [
                     *         {
                     *           "component": "web",
                     *           "step": "prepare",
                     *           "state": "done",
                     *           "startedAt": "2026-01-01T00:00:00.000Z",
                     *           "finishedAt": "2026-01-01T00:00:01.000Z",
                     *           "message": "build"
                     *         }
                     *       ],
                     *       "failure": {
                     *         "component": "web",
                     *         "step": "build",
                     *         "exitCode": 1,
                     *         "signal": "SIGKILL",
                     *         "message": "build.sh exited with code 1",
                     *         "logTail": [
                     *           "npm error Missing script: \"build\""
                     *         ],
                     *         "fix": "Run the build on your machine, mend what the log lines say, and deploy again."
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DeploymentDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    cancelDeployment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                deploymentId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The deployment turns back */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "kind": "deploy",
                     *       "state": "succeeded",
                     *       "release": 2,
                     *       "requestedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *       "components": [
                     *         "web"
                     *       ],
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "finishedAt": "2026-01-01T00:00:03.000Z",
                     *       "steps": [
                     *         {
                     *           "component": "web",
                     *           "step": "prepare",
                     *           "state": "done",
                     *           "startedAt": "2026-01-01T00:00:00.000Z",
                     *           "finishedAt": "2026-01-01T00:00:01.000Z",
                     *           "message": "build"
                     *         }
                     *       ],
                     *       "failure": {
                     *         "component": "web",
                     *         "step": "build",
                     *         "exitCode": 1,
                     *         "signal": "SIGKILL",
                     *         "message": "build.sh exited with code 1",
                     *         "logTail": [
                     *           "npm error Missing script: \"build\""
                     *         ],
                     *         "fix": "Run the build on your machine, mend what the log lines say, and deploy again."
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DeploymentDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/cancel",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/cancel",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/cancel",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/cancel",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/cancel",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    streamDeploymentEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last event that was seen */
                "Last-Event-ID"?: string;
            };
            path: {
                deploymentId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example id: 4
                     *     event: component
                     *     data: {"component":"web","step":"prepare","state":"running","message":"build"}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/deployments/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/events",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Health of each part */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "parts": {
                     *         "database": {
                     *           "ok": true,
                     *           "message": "PostgreSQL answers.",
                     *           "fix": "Look at control-plane.log."
                     *         },
                     *         "queue": {
                     *           "ok": true,
                     *           "message": "PostgreSQL answers.",
                     *           "fix": "Look at control-plane.log."
                     *         },
                     *         "agent": {
                     *           "ok": true,
                     *           "message": "PostgreSQL answers.",
                     *           "fix": "Look at control-plane.log."
                     *         },
                     *         "isolation": {
                     *           "ok": true,
                     *           "message": "PostgreSQL answers.",
                     *           "fix": "Look at control-plane.log."
                     *         },
                     *         "audit": {
                     *           "ok": true,
                     *           "message": "PostgreSQL answers.",
                     *           "fix": "Look at control-plane.log."
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["HealthDto"];
                };
            };
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ok": true,
                     *       "message": "PostgreSQL answers.",
                     *       "fix": "Look at control-plane.log."
                     *     }
                     */
                    "application/json": components["schemas"]["PartHealthDto"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It can */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ok": true,
                     *       "message": "PostgreSQL answers.",
                     *       "fix": "Look at control-plane.log."
                     *     }
                     */
                    "application/json": components["schemas"]["PartHealthDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/health/ready",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deliverToHook: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of this message, new for each intent */
                "webhook-id": string;
                /** @description `v1,` and the base64 of HMAC-SHA-256 over `<id>.<timestamp>.<body>` */
                "webhook-signature": string;
                /** @description Seconds since 1970; at most five minutes from now */
                "webhook-timestamp": string;
            };
            path: {
                hookId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "ref": "refs/heads/main"
                 *     }
                 */
                "application/json": {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description The deployment has begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deploymentId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "kind": "deploy"
                     *     }
                     */
                    "application/json": components["schemas"]["StartedByHookDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listInvitations: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of invitations, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "email": "grace@example.org",
                     *           "role": "developer",
                     *           "invitedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "expiresAt": "2026-01-08T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["InvitationPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    inviteToPlatform: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "grace@example.org",
                 *       "days": 7
                 *     }
                 */
                "application/json": components["schemas"]["InviteDto"];
            };
        };
        responses: {
            /** @description The invitation with its link */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "grace@example.org",
                     *       "role": "developer",
                     *       "invitedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "expiresAt": "2026-01-08T00:00:00.000Z",
                     *       "link": "https://hithe.example.org/invitation#hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "mailed": false
                     *     }
                     */
                    "application/json": components["schemas"]["CreatedInvitationDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revokeInvitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invitation is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/invitations/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/invitations/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/invitations/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/invitations/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "ada@example.org",
                     *       "platformAdmin": false,
                     *       "teams": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "slug": "harbour-crew",
                     *           "name": "Harbour crew",
                     *           "role": "owner"
                     *         }
                     *       ],
                     *       "token": {
                     *         "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *         "name": "github-actions",
                     *         "scopes": [
                     *           "read",
                     *           "deploy"
                     *         ],
                     *         "teamId": null,
                     *         "expiresAt": "2026-04-01T00:00:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["MeDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listMyIdentities: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of identities, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "issuer": "https://login.example.org/realms/harbour",
                     *           "subject": "f3b5c0a1-7d5e-4a38-9c55-2f0e8f1b6d11",
                     *           "email": "ada@example.org",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "lastUsedAt": null
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["IdentityPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    linkIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "oidc-3q2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                 *       "codeVerifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
                 *     }
                 */
                "application/json": components["schemas"]["OidcCodeDto"];
            };
        };
        responses: {
            /** @description The identity */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "issuer": "https://login.example.org/realms/harbour",
                     *       "subject": "f3b5c0a1-7d5e-4a38-9c55-2f0e8f1b6d11",
                     *       "email": "ada@example.org",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "lastUsedAt": null
                     *     }
                     */
                    "application/json": components["schemas"]["IdentityDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    unlinkIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                identityId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is unlinked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/identities/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/identities",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/identities/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/me/identities/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/identities/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    acceptInvitationAsMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE"
                 *     }
                 */
                "application/json": components["schemas"]["InvitationTokenDto"];
            };
        };
        responses: {
            /** @description The invitation that was accepted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "grace@example.org",
                     *       "role": "developer",
                     *       "invitedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "expiresAt": "2026-01-08T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["InvitationDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /**
             * @description You may not do this
             *
             *     You may not do this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/me/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/me/invitations/accept",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listMyPasskeys: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of passkeys, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "Laptop",
                     *           "backedUp": true,
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "lastUsedAt": null
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PasskeyPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/passkeys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    registerPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Laptop",
                 *       "passkey": {
                 *         "id": "mX2sLr0Zy1k",
                 *         "rawId": "mX2sLr0Zy1k",
                 *         "type": "public-key",
                 *         "response": {
                 *           "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0",
                 *           "attestationObject": "o2NmbXRkbm9uZQ"
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["RegisterPasskeyDto"];
            };
        };
        responses: {
            /** @description The passkey; with the first factor, the recovery codes */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "Laptop",
                     *       "backedUp": true,
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "lastUsedAt": null,
                     *       "recoveryCodes": [
                     *         "k3vp-x7md-92hq-acwt",
                     *         "p8dn-4jyx-rt6k-w2vm"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["RegisteredPasskeyDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/passkeys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/passkeys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/passkeys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deletePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                passkeyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/passkeys/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/passkeys/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/me/passkeys/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/passkeys/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    renamePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                passkeyId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Old laptop"
                 *     }
                 */
                "application/json": components["schemas"]["RenamePasskeyDto"];
            };
        };
        responses: {
            /** @description The passkey */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "Laptop",
                     *       "backedUp": true,
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "lastUsedAt": null
                     *     }
                     */
                    "application/json": components["schemas"]["PasskeyDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/passkeys/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/me/passkeys/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getPasskeyRegistrationOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description For the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "publicKey": {
                     *         "challenge": "q83vASNFZ4k",
                     *         "rp": {
                     *           "id": "localhost",
                     *           "name": "Hithe"
                     *         },
                     *         "user": {
                     *           "id": "MDE5OQ",
                     *           "name": "ada@example.org"
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["PasskeyCreationDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/passkeys/options",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "currentPassword": "correct horse battery staple",
                 *       "newPassword": "tulips never dance alone"
                 *     }
                 */
                "application/json": components["schemas"]["ChangePasswordDto"];
            };
        };
        responses: {
            /** @description What has ended with the password before */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "endedSessions": 2,
                     *       "remainingTokens": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "nightly deploy"
                     *         }
                     *       ],
                     *       "remainingPasskeys": [
                     *         "laptop"
                     *       ],
                     *       "remainingIdentities": [
                     *         "ada@id.example.org"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["NewPasswordDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/password",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/password",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /**
             * @description You may not do this
             *
             *     You may not do this
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/password",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/password",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/me/password",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getMyPermissions: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag that the client has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rules */
            200: {
                headers: {
                    /**
                     * @description The version
                     * @example "f2vKx0cJ1bB0m6t3mJ5hPw"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "version": "f2vKx0cJ1bB0m6t3mJ5hPw",
                     *       "rules": [
                     *         [
                     *           "create",
                     *           "Team"
                     *         ],
                     *         [
                     *           "read,read-logs",
                     *           "Project",
                     *           {
                     *             "teamId": {
                     *               "$in": [
                     *                 "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *               ]
                     *             }
                     *           }
                     *         ],
                     *         [
                     *           "deploy,operate,update",
                     *           "Project",
                     *           {
                     *             "teamId": {
                     *               "$in": [
                     *                 "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *               ]
                     *             },
                     *             "protected": false
                     *           }
                     *         ]
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["PermissionsDto"];
                };
            };
            /** @description Still the same */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/permissions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    reauthenticate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "totp": "492039",
                 *       "recoveryCode": "k3vp-x7md-92hq-acwt",
                 *       "passkey": {
                 *         "id": "mX2sLr0Zy1k",
                 *         "rawId": "mX2sLr0Zy1k",
                 *         "type": "public-key",
                 *         "response": {
                 *           "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
                 *           "authenticatorData": "SZYN5Q",
                 *           "signature": "MEUCIQ",
                 *           "userHandle": "MDE5OQ"
                 *         }
                 *       },
                 *       "password": "correct horse battery staple"
                 *     }
                 */
                "application/json": components["schemas"]["ReauthenticateDto"];
            };
        };
        responses: {
            /** @description The proof is right */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/reauthenticate",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/reauthenticate",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/me/reauthenticate",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getReauthenticationPasskeyOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description For the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "publicKey": {
                     *         "challenge": "q83vASNFZ4k",
                     *         "rpId": "localhost",
                     *         "userVerification": "required",
                     *         "allowCredentials": [],
                     *         "timeout": 300000
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["PasskeyRequestDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    renewRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The codes, shown only now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "recoveryCodes": [
                     *         "k3vp-x7md-92hq-acwt",
                     *         "p8dn-4jyx-rt6k-w2vm"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["RecoveryCodesDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/recovery-codes",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/recovery-codes",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getMySecondFactors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The second factors of the caller */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "totp": true,
                     *       "passkeys": false,
                     *       "recoveryCodesLeft": 9,
                     *       "required": false
                     *     }
                     */
                    "application/json": components["schemas"]["SecondFactorsDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listMySessions: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of sessions, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "lastUsedAt": "2026-01-01T08:30:00.000Z",
                     *           "address": "203.0.113.7",
                     *           "userAgent": "hithe-cli/1.0.0",
                     *           "methods": [
                     *             "password",
                     *             "totp"
                     *           ],
                     *           "current": true
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["SessionPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revokeMyOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many have ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "endedSessions": 2
                     *     }
                     */
                    "application/json": components["schemas"]["EndedSessionsDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revokeMySession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/sessions/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/sessions/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/sessions/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/me/sessions/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listMyTokens: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of tokens */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "github-actions",
                     *           "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "scopes": [
                     *             "read",
                     *             "deploy:0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *           ],
                     *           "expiresAt": "2026-04-01T00:00:00.000Z",
                     *           "expired": false,
                     *           "lastUsedAt": "2026-01-02T08:30:00.000Z",
                     *           "lastUsedAddress": "198.51.100.7",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["TokenPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createMyToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "github-actions",
                 *       "scopes": [
                 *         "read",
                 *         "deploy:web-shop/guestbook"
                 *       ],
                 *       "expiresInDays": 90,
                 *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                 *     }
                 */
                "application/json": components["schemas"]["CreateTokenDto"];
            };
        };
        responses: {
            /** @description The token */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "github-actions",
                     *       "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "scopes": [
                     *         "read",
                     *         "deploy:0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *       ],
                     *       "expiresAt": "2026-04-01T00:00:00.000Z",
                     *       "expired": false,
                     *       "lastUsedAt": "2026-01-02T08:30:00.000Z",
                     *       "lastUsedAddress": "198.51.100.7",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "token": "hithe_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0YM00h"
                     *     }
                     */
                    "application/json": components["schemas"]["CreatedTokenDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/me/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revokeMyToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tokenId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/me/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    beginTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The secret, shown only now */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                     *       "uri": "otpauth://totp/Hithe:ada%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Hithe"
                     *     }
                     */
                    "application/json": components["schemas"]["TotpEnrolmentDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/totp",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/totp",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    disableTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is not asked for any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/totp",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/totp",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    confirmTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "492039"
                 *     }
                 */
                "application/json": components["schemas"]["TotpCodeDto"];
            };
        };
        responses: {
            /** @description With the first factor, the recovery codes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "recoveryCodes": [
                     *         "k3vp-x7md-92hq-acwt",
                     *         "p8dn-4jyx-rt6k-w2vm"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["EnabledFactorDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/me/totp/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/me/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/me/totp/confirm",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getNodeSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The archive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": string;
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/node/sources/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/node/sources/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listNodes: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of nodes, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "local",
                     *           "connected": true,
                     *           "lastSeenAt": "2026-01-01T00:00:00.000Z",
                     *           "hostname": "harbour-1",
                     *           "platform": "linux-x64",
                     *           "cpus": 8,
                     *           "memoryBytes": 16777216000,
                     *           "agentVersion": "0.1.0",
                     *           "isolation": {}
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["NodePageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/nodes",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/nodes",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/nodes",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getNode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                nodeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The node */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "local",
                     *       "connected": true,
                     *       "lastSeenAt": "2026-01-01T00:00:00.000Z",
                     *       "hostname": "harbour-1",
                     *       "platform": "linux-x64",
                     *       "cpus": 8,
                     *       "memoryBytes": 16777216000,
                     *       "agentVersion": "0.1.0",
                     *       "isolation": {
                     *         "mode": "root",
                     *         "ok": true,
                     *         "checks": []
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["NodeDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/nodes/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/nodes/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/nodes/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/nodes/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listPlatformKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "3f2a9c51b7d04e8895c6a1d2e3f40718",
                     *           "active": true,
                     *           "createdAt": "2026-03-01T12:00:00.000Z",
                     *           "rows": 1204
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PlatformKeyPageDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/platform/keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/platform/keys",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    retirePlatformKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys that are left */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "3f2a9c51b7d04e8895c6a1d2e3f40718",
                     *           "active": true,
                     *           "createdAt": "2026-03-01T12:00:00.000Z",
                     *           "rows": 1204
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PlatformKeyPageDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/platform/keys/retire",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/platform/keys/retire",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/platform/keys/retire",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/platform/keys/retire",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    rotatePlatformKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All keys; the old ones wrap less and less */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "3f2a9c51b7d04e8895c6a1d2e3f40718",
                     *           "active": true,
                     *           "createdAt": "2026-03-01T12:00:00.000Z",
                     *           "rows": 1204
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PlatformKeyPageDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/platform/keys/rotate",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/platform/keys/rotate",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/platform/keys/rotate",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getQuotaDefaults: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The defaults */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "projects": 20,
                     *       "components": 60,
                     *       "memory": 8589934592,
                     *       "cpu": 4.5,
                     *       "disk": 53687091200,
                     *       "listenPorts": 40
                     *     }
                     */
                    "application/json": components["schemas"]["QuotaLimitsDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/platform/quota-defaults",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/platform/quota-defaults",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    setQuotaDefaults: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "projects": 20,
                 *       "components": 60,
                 *       "memory": 8589934592,
                 *       "cpu": 4.5,
                 *       "disk": 53687091200,
                 *       "listenPorts": 40
                 *     }
                 */
                "application/json": components["schemas"]["QuotaLimitsDto"];
            };
        };
        responses: {
            /** @description The defaults as they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "projects": 20,
                     *       "components": 60,
                     *       "memory": 8589934592,
                     *       "cpu": 4.5,
                     *       "disk": 53687091200,
                     *       "listenPorts": 40
                     *     }
                     */
                    "application/json": components["schemas"]["QuotaLimitsDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/platform/quota-defaults",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/platform/quota-defaults",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/platform/quota-defaults",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listPorts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All ports, by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "name": "postgres",
                     *           "title": "PostgreSQL",
                     *           "description": "The relational database",
                     *           "category": "databases",
                     *           "kind": "service",
                     *           "versions": [
                     *             "18",
                     *             "17",
                     *             "15",
                     *             "13"
                     *           ]
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PortPageDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/ports",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/ports",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getPort: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The port */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "postgres",
                     *       "title": "PostgreSQL",
                     *       "description": "The relational database",
                     *       "category": "databases",
                     *       "kind": "service",
                     *       "versions": [
                     *         "18",
                     *         "17",
                     *         "15",
                     *         "13"
                     *       ],
                     *       "vars": [
                     *         {
                     *           "name": "POSTGRES_DB",
                     *           "description": "Name of the database that is created",
                     *           "type": "string",
                     *           "required": false,
                     *           "default": "app",
                     *           "secret": false,
                     *           "generated": false
                     *         }
                     *       ],
                     *       "varsSchema": {
                     *         "type": "object",
                     *         "properties": {
                     *           "POSTGRES_DB": {
                     *             "type": "string"
                     *           }
                     *         }
                     *       },
                     *       "exports": [
                     *         "POSTGRES_URL"
                     *       ],
                     *       "endpoints": [
                     *         {
                     *           "name": "sql",
                     *           "protocol": "tcp",
                     *           "default": 5432
                     *         }
                     *       ],
                     *       "source": "none",
                     *       "stateful": true
                     *     }
                     */
                    "application/json": components["schemas"]["PortDetailDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/ports/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/ports/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/ports/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listProjects: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
                /** @description Only those of exactly this name */
                name?: string;
                /** @description Only those of this team */
                teamId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of projects, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *           "name": "guestbook",
                     *           "spec": {
                     *             "name": "guestbook",
                     *             "components": {
                     *               "db": {
                     *                 "port": "postgres",
                     *                 "version": "17",
                     *                 "vars": {
                     *                   "POSTGRES_DB": "guestbook"
                     *                 }
                     *               },
                     *               "web": {
                     *                 "port": "nodejs-app",
                     *                 "version": "24",
                     *                 "source": {
                     *                   "path": "./app",
                     *                   "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
                     *                 },
                     *                 "needs": [
                     *                   "db"
                     *                 ],
                     *                 "env": {
                     *                   "DATABASE_URL": "${db.POSTGRES_URL}"
                     *                 }
                     *               }
                     *             }
                     *           },
                     *           "specVersion": 3,
                     *           "release": 2,
                     *           "state": "running",
                     *           "protected": false,
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "updatedAt": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ProjectPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project */
            200: {
                headers: {
                    /**
                     * @description Version of the specification, for If-Match
                     * @example "3"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "name": "guestbook",
                     *       "spec": {
                     *         "name": "guestbook",
                     *         "components": {
                     *           "db": {
                     *             "port": "postgres",
                     *             "version": "17",
                     *             "vars": {
                     *               "POSTGRES_DB": "guestbook"
                     *             }
                     *           },
                     *           "web": {
                     *             "port": "nodejs-app",
                     *             "version": "24",
                     *             "source": {
                     *               "path": "./app",
                     *               "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
                     *             },
                     *             "needs": [
                     *               "db"
                     *             ],
                     *             "env": {
                     *               "DATABASE_URL": "${db.POSTGRES_URL}"
                     *             }
                     *           }
                     *         }
                     *       },
                     *       "specVersion": 3,
                     *       "release": 2,
                     *       "state": "running",
                     *       "protected": false,
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "updatedAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ProjectDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deleteProject: {
        parameters: {
            query: {
                /** @description The name of the project, as a confirmation */
                confirm: string;
                /** @description Delete the data of its components too; they are set aside on the node otherwise */
                purge?: boolean;
            };
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The deletion has begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "kind": "deploy",
                     *       "state": "succeeded",
                     *       "release": 2,
                     *       "requestedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *       "components": [
                     *         "web"
                     *       ],
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "finishedAt": "2026-01-01T00:00:03.000Z",
                     *       "steps": [
                     *         {
                     *           "component": "web",
                     *           "step": "prepare",
                     *           "state": "done",
                     *           "startedAt": "2026-01-01T00:00:00.000Z",
                     *           "finishedAt": "2026-01-01T00:00:01.000Z",
                     *           "message": "build"
                     *         }
                     *       ],
                     *       "failure": {
                     *         "component": "web",
                     *         "step": "build",
                     *         "exitCode": 1,
                     *         "signal": "SIGKILL",
                     *         "message": "build.sh exited with code 1",
                     *         "logTail": [
                     *           "npm error Missing script: \"build\""
                     *         ],
                     *         "fix": "Run the build on your machine, mend what the log lines say, and deploy again."
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DeploymentDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listDeployments: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of deployments */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *           "kind": "deploy",
                     *           "state": "succeeded",
                     *           "release": 2,
                     *           "requestedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *           "components": [
                     *             "web"
                     *           ],
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "finishedAt": "2026-01-01T00:00:03.000Z",
                     *           "steps": [],
                     *           "failure": {}
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["DeploymentPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createDeployment: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any text of your own, new for each intent; a repetition with the same key gets the same answer */
                "Idempotency-Key"?: string;
            };
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "kind": "deploy",
                 *       "components": [
                 *         "cache"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["CreateDeploymentDto"];
            };
        };
        responses: {
            /** @description The deployment has begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "kind": "deploy",
                     *       "state": "succeeded",
                     *       "release": 2,
                     *       "requestedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *       "components": [
                     *         "web"
                     *       ],
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "finishedAt": "2026-01-01T00:00:03.000Z",
                     *       "steps": [
                     *         {
                     *           "component": "web",
                     *           "step": "prepare",
                     *           "state": "done",
                     *           "startedAt": "2026-01-01T00:00:00.000Z",
                     *           "finishedAt": "2026-01-01T00:00:01.000Z",
                     *           "message": "build"
                     *         }
                     *       ],
                     *       "failure": {
                     *         "component": "web",
                     *         "step": "build",
                     *         "exitCode": 1,
                     *         "signal": "SIGKILL",
                     *         "message": "build.sh exited with code 1",
                     *         "logTail": [
                     *           "npm error Missing script: \"build\""
                     *         ],
                     *         "fix": "Run the build on your machine, mend what the log lines say, and deploy again."
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["DeploymentDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /**
             * @description This conflicts with the present state
             *
             *     This conflicts with the present state
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deployments",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listGrants: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of grants, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c59",
                     *           "email": "grace@example.org",
                     *           "role": "developer",
                     *           "roleId": null,
                     *           "roleName": "developer",
                     *           "since": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["GrantPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    putGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "grace@example.org",
                 *       "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c59",
                 *       "role": "developer",
                 *       "roleId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57"
                 *     }
                 */
                "application/json": components["schemas"]["PutGrantDto"];
            };
        };
        responses: {
            /** @description The grant */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c59",
                     *       "email": "grace@example.org",
                     *       "role": "developer",
                     *       "roleId": null,
                     *       "roleName": "developer",
                     *       "since": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ProjectGrantDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    removeGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The grant is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/grants/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getProjectHealth: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The health of the project */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "healthy": false,
                     *       "components": [
                     *         {
                     *           "name": "cache",
                     *           "health": "stopped",
                     *           "message": "stopped on request",
                     *           "since": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ProjectHealthDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/health",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/health",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/health",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/health",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listHooks: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of hooks, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "github",
                     *           "kind": "deploy",
                     *           "url": "https://hithe.example.org/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "enabled": true,
                     *           "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "secretSince": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["HookPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "github",
                 *       "kind": "deploy"
                 *     }
                 */
                "application/json": components["schemas"]["CreateHookDto"];
            };
        };
        responses: {
            /** @description The hook and its secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "github",
                     *       "kind": "deploy",
                     *       "url": "https://hithe.example.org/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "enabled": true,
                     *       "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "secretSince": "2026-01-01T00:00:00.000Z",
                     *       "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
                     *     }
                     */
                    "application/json": components["schemas"]["SecretHookDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deleteHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hookId: string;
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The hook is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    updateHook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hookId: string;
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "enabled": false
                 *     }
                 */
                "application/json": components["schemas"]["UpdateHookDto"];
            };
        };
        responses: {
            /** @description The hook */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "github",
                     *       "kind": "deploy",
                     *       "url": "https://hithe.example.org/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "enabled": true,
                     *       "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "secretSince": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["HookDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listHookDeliveries: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                hookId: string;
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of deliveries, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "webhookId": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
                     *           "outcome": "started",
                     *           "code": "DEPLOYMENT_ALREADY_ACTIVE",
                     *           "deploymentId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "address": "198.51.100.7",
                     *           "receivedAt": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["HookDeliveryPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deliveries",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deliveries",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deliveries",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/deliveries",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    rotateHookSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hookId: string;
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The hook and its new secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "github",
                     *       "kind": "deploy",
                     *       "url": "https://hithe.example.org/api/v1/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "enabled": true,
                     *       "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "secretSince": "2026-01-01T00:00:00.000Z",
                     *       "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
                     *     }
                     */
                    "application/json": components["schemas"]["SecretHookDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/secret",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/secret",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/secret",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/hooks/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/secret",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    readLogs: {
        parameters: {
            query?: {
                /** @description Only this component; all when absent */
                component?: string;
                /** @description Go on with every new line, as server-sent events */
                follow?: boolean;
                /** @description How many past lines, over all components */
                lines?: number;
            };
            header?: {
                /** @description Only lines after this time stamp */
                "Last-Event-ID"?: string;
            };
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "component": "web",
                     *           "allocationId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "at": "2026-01-01T00:00:00.000000Z",
                     *           "text": "listening on 20003"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["LogLinesDto"];
                    /**
                     * @example id: 2026-01-01T00:00:00.000000Z
                     *     event: line
                     *     data: {"component":"web","allocationId":"0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55","at":"2026-01-01T00:00:00.000000Z","text":"listening on 20003"}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/logs",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/logs",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/logs",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/logs",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/logs",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    setProtection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "protected": true
                 *     }
                 */
                "application/json": components["schemas"]["ProtectionDto"];
            };
        };
        responses: {
            /** @description Whether it is protected now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "protected": true
                     *     }
                     */
                    "application/json": components["schemas"]["ProtectionDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/protection",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/protection",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/protection",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/protection",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getProjectStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "project": "guestbook",
                     *       "state": "running",
                     *       "release": 2,
                     *       "health": "healthy",
                     *       "activeDeploymentId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "components": [
                     *         {
                     *           "name": "web",
                     *           "port": "nodejs-app",
                     *           "version": "24",
                     *           "resolvedVersion": "24.21.0",
                     *           "state": "running",
                     *           "health": "healthy",
                     *           "healthMessage": "HTTP 200 on /",
                     *           "healthSince": "2026-01-01T00:00:00.000Z",
                     *           "restarts": 0,
                     *           "pid": 4711,
                     *           "uid": 1900000003,
                     *           "startedAt": "2026-01-01T00:00:00.000Z",
                     *           "node": "local",
                     *           "endpoints": [],
                     *           "message": "exited with code 1",
                     *           "exit": {},
                     *           "effect": "runs without cache (stopped), which it needs"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ProjectStatusDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/status",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/status",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/status",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/status",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listVariables: {
        parameters: {
            query?: {
                /** @description Everything that this component gets, wherever it comes from; absent: all that is set */
                component?: string;
            };
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, in one page */
            200: {
                headers: {
                    /**
                     * @description Revision of the project's variables, for If-Match
                     * @example "3"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "name": "API_KEY",
                     *           "component": "web",
                     *           "kind": "secret",
                     *           "origin": "component",
                     *           "value": "••••••••",
                     *           "version": 3,
                     *           "setAt": "2026-03-01T12:00:00.000Z",
                     *           "overrides": [
                     *             "file"
                     *           ],
                     *           "inUse": true
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["VariablePageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    setVariables: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the list that this change was made from; 412 when somebody changed a variable since */
                "If-Match"?: string;
            };
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "component": "web",
                 *       "variables": [
                 *         {
                 *           "name": "API_KEY",
                 *           "value": "sk_live_51H8",
                 *           "kind": "secret"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["SetVariablesDto"];
            };
        };
        responses: {
            /** @description What changed */
            200: {
                headers: {
                    /**
                     * @description Revision of the project's variables, for If-Match
                     * @example "3"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "changes": [
                     *         {
                     *           "name": "API_KEY",
                     *           "component": "web",
                     *           "kind": "secret",
                     *           "action": "changed",
                     *           "version": 3
                     *         }
                     *       ],
                     *       "changed": true
                     *     }
                     */
                    "application/json": components["schemas"]["VariableChangesDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description It has changed since you read it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:precondition",
                     *       "title": "It has changed since you read it",
                     *       "status": 412,
                     *       "code": "PRECONDITION",
                     *       "detail": "It has changed since you read it.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    removeVariable: {
        parameters: {
            query?: {
                /** @description The component that it belongs to; absent: the project */
                component?: string;
            };
            header?: {
                /** @description ETag of the list that this change was made from; 412 when somebody changed a variable since */
                "If-Match"?: string;
            };
            path: {
                name: string;
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is removed */
            204: {
                headers: {
                    /**
                     * @description Revision of the project's variables, for If-Match
                     * @example "3"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description It has changed since you read it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:precondition",
                     *       "title": "It has changed since you read it",
                     *       "status": 412,
                     *       "code": "PRECONDITION",
                     *       "detail": "It has changed since you read it.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listVariableVersions: {
        parameters: {
            query?: {
                /** @description The component that it belongs to; absent: the project */
                component?: string;
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                name: string;
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of versions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "version": 3,
                     *           "kind": "secret",
                     *           "value": "••••••••",
                     *           "setAt": "2026-03-01T12:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["VariableVersionPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/history",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/history",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/history",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/history",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    exportVariables: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "component": "web"
                 *     }
                 */
                "application/json": components["schemas"]["ExportVariablesDto"];
            };
        };
        responses: {
            /** @description The file; not to be stored by caches */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "text": "API_KEY='sk_live_51H8'\n",
                     *       "count": 1
                     *     }
                     */
                    "application/json": components["schemas"]["ExportedVariablesDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    importVariables: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the list that this change was made from; 412 when somebody changed a variable since */
                "If-Match"?: string;
            };
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "component": "web",
                 *       "text": "API_KEY=sk_live_51H8\nLEVEL=debug\n",
                 *       "kind": "secret",
                 *       "prune": false,
                 *       "dryRun": true
                 *     }
                 */
                "application/json": components["schemas"]["ImportVariablesDto"];
            };
        };
        responses: {
            /** @description What changed, or would */
            200: {
                headers: {
                    /**
                     * @description Revision of the project's variables, for If-Match
                     * @example "3"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "changes": [
                     *         {
                     *           "name": "API_KEY",
                     *           "component": "web",
                     *           "kind": "secret",
                     *           "action": "changed",
                     *           "version": 3
                     *         }
                     *       ],
                     *       "changed": true
                     *     }
                     */
                    "application/json": components["schemas"]["VariableChangesDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/import",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/import",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/import",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/import",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description It has changed since you read it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:precondition",
                     *       "title": "It has changed since you read it",
                     *       "status": 412,
                     *       "code": "PRECONDITION",
                     *       "detail": "It has changed since you read it.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/import",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/import",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revealVariables: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "component": "web",
                 *       "names": [
                 *         "API_KEY"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["RevealVariablesDto"];
            };
        };
        responses: {
            /** @description The texts; not to be stored by caches */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "name": "API_KEY",
                     *           "component": "web",
                     *           "kind": "secret",
                     *           "origin": "component",
                     *           "version": 3,
                     *           "value": "sk_live_51H8"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["RevealedVariablesDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/reveal",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/reveal",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/reveal",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/reveal",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Not available right now */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unavailable",
                     *       "title": "Not available right now",
                     *       "status": 503,
                     *       "code": "UNAVAILABLE",
                     *       "detail": "Not available right now.",
                     *       "instance": "/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/variables/reveal",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getRoleTable: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The table */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "roles": [
                     *         "platform-admin",
                     *         "owner",
                     *         "admin",
                     *         "developer",
                     *         "viewer",
                     *         "auditor",
                     *         "machine-token"
                     *       ],
                     *       "rows": [
                     *         {
                     *           "id": "deploy",
                     *           "title": "deploy, start, stop, rollback, restart, snapshot",
                     *           "rights": {
                     *             "Project": [
                     *               "deploy",
                     *               "operate",
                     *               "update"
                     *             ]
                     *           },
                     *           "cells": {
                     *             "owner": "✓",
                     *             "developer": "✓; a protected project by list",
                     *             "viewer": ""
                     *           }
                     *         }
                     *       ],
                     *       "granted": [
                     *         {
                     *           "id": "deploy",
                     *           "title": "deploy, start, stop, rollback, restart, snapshot",
                     *           "rights": {
                     *             "Project": [
                     *               "deploy",
                     *               "operate",
                     *               "update"
                     *             ]
                     *           },
                     *           "cells": {
                     *             "owner": "✓",
                     *             "developer": "✓; a protected project by list",
                     *             "viewer": ""
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["RoleTableDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getProjectSchema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schema */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "object",
                     *       "required": [
                     *         "name",
                     *         "components"
                     *       ]
                     *     }
                     */
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    listScopes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All scopes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "scope": "deploy",
                     *           "description": "Change the specification of projects that exist, deploy, start, stop, restart.",
                     *           "rights": []
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ScopeListDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/scopes",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listTeams: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of teams, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "slug": "harbour-crew",
                     *           "name": "Harbour crew",
                     *           "number": 3,
                     *           "personal": false,
                     *           "role": "owner",
                     *           "createdAt": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["TeamPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createTeam: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Harbour crew",
                 *       "slug": "harbour-crew"
                 *     }
                 */
                "application/json": components["schemas"]["CreateTeamDto"];
            };
        };
        responses: {
            /** @description The team */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "slug": "harbour-crew",
                     *       "name": "Harbour crew",
                     *       "number": 3,
                     *       "personal": false,
                     *       "role": "owner",
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["TeamDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/teams",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The team */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "slug": "harbour-crew",
                     *       "name": "Harbour crew",
                     *       "number": 3,
                     *       "personal": false,
                     *       "role": "owner",
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["TeamDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deleteTeam: {
        parameters: {
            query: {
                /** @description The slug of the team, typed again */
                confirm: string;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The team is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    updateTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Harbour crew"
                 *     }
                 */
                "application/json": components["schemas"]["UpdateTeamDto"];
            };
        };
        responses: {
            /** @description The team */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "slug": "harbour-crew",
                     *       "name": "Harbour crew",
                     *       "number": 3,
                     *       "personal": false,
                     *       "role": "owner",
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["TeamDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listBreakGlass: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of cases, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c58",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "email": "admin@example.org",
                     *           "reason": "The team is unreachable and its database leaks addresses.",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "expiresAt": "2026-01-01T00:30:00.000Z",
                     *           "endedAt": null,
                     *           "active": true
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["BreakGlassPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    breakGlass: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "The team is unreachable and its database leaks addresses.",
                 *       "minutes": 30
                 *     }
                 */
                "application/json": components["schemas"]["BreakGlassDto"];
            };
        };
        responses: {
            /** @description The case */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c58",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "admin@example.org",
                     *       "reason": "The team is unreachable and its database leaks addresses.",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "expiresAt": "2026-01-01T00:30:00.000Z",
                     *       "endedAt": null,
                     *       "active": true
                     *     }
                     */
                    "application/json": components["schemas"]["BreakGlassCaseDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    endBreakGlass: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                caseId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It gives no rights any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/break-glass/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listTeamInvitations: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of invitations, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "email": "grace@example.org",
                     *           "role": "developer",
                     *           "invitedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "expiresAt": "2026-01-08T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["InvitationPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    inviteToTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "grace@example.org",
                 *       "days": 7,
                 *       "role": "developer"
                 *     }
                 */
                "application/json": components["schemas"]["InviteToTeamDto"];
            };
        };
        responses: {
            /** @description The invitation with its link */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "grace@example.org",
                     *       "role": "developer",
                     *       "invitedBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "expiresAt": "2026-01-08T00:00:00.000Z",
                     *       "link": "https://hithe.example.org/invitation#hithe_in_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "mailed": false
                     *     }
                     */
                    "application/json": components["schemas"]["CreatedInvitationDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/invitations",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listTeamMembers: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of members, in the order in which they joined */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "email": "grace@example.org",
                     *           "kind": "person",
                     *           "role": "developer",
                     *           "roleId": null,
                     *           "roleName": "developer",
                     *           "since": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["MemberPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    putTeamMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "grace@example.org",
                 *       "role": "developer",
                 *       "roleId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57"
                 *     }
                 */
                "application/json": components["schemas"]["PutMemberDto"];
            };
        };
        responses: {
            /** @description The member */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "grace@example.org",
                     *       "kind": "person",
                     *       "role": "developer",
                     *       "roleId": null,
                     *       "roleName": "developer",
                     *       "since": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["MemberDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    removeTeamMember: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user is no member any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/members/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    planProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "spec": {
                 *         "name": "guestbook",
                 *         "components": {
                 *           "db": {
                 *             "port": "postgres",
                 *             "version": "17",
                 *             "vars": {
                 *               "POSTGRES_DB": "guestbook"
                 *             }
                 *           },
                 *           "web": {
                 *             "port": "nodejs-app",
                 *             "version": "24",
                 *             "source": {
                 *               "path": "./app",
                 *               "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
                 *             },
                 *             "needs": [
                 *               "db"
                 *             ],
                 *             "env": {
                 *               "DATABASE_URL": "${db.POSTGRES_URL}"
                 *             }
                 *           }
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["ProjectSpecDto"];
            };
        };
        responses: {
            /** @description The plan; `ok` is false when a check fails */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "project": "guestbook",
                     *       "changes": [
                     *         {
                     *           "component": "db",
                     *           "action": "update",
                     *           "reasons": [
                     *             "version 17 → 18"
                     *           ]
                     *         }
                     *       ],
                     *       "versions": [
                     *         {
                     *           "component": "db",
                     *           "port": "postgres",
                     *           "version": "17",
                     *           "resolvedVersion": "17.6-0+deb13u1",
                     *           "installed": true
                     *         }
                     *       ],
                     *       "checks": [
                     *         {
                     *           "check": "listen",
                     *           "component": "web",
                     *           "status": "error",
                     *           "message": "8080 for \"http\" is held by \"nginx\" (pid 42) of uid 0 on 0.0.0.0.",
                     *           "fix": "Choose another network port with `listen`, or leave `listen` out to get a free one."
                     *         }
                     *       ],
                     *       "ok": true
                     *     }
                     */
                    "application/json": components["schemas"]["PlanDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/plan",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/plan",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/plan",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/plan",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    applyProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that this change was made from; 412 when there is a newer one */
                "If-Match"?: string;
            };
            path: {
                /** @description The same as `name` in the specification */
                name: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "spec": {
                 *         "name": "guestbook",
                 *         "components": {
                 *           "db": {
                 *             "port": "postgres",
                 *             "version": "17",
                 *             "vars": {
                 *               "POSTGRES_DB": "guestbook"
                 *             }
                 *           },
                 *           "web": {
                 *             "port": "nodejs-app",
                 *             "version": "24",
                 *             "source": {
                 *               "path": "./app",
                 *               "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
                 *             },
                 *             "needs": [
                 *               "db"
                 *             ],
                 *             "env": {
                 *               "DATABASE_URL": "${db.POSTGRES_URL}"
                 *             }
                 *           }
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["ProjectSpecDto"];
            };
        };
        responses: {
            /** @description The project that was there */
            200: {
                headers: {
                    /**
                     * @description Version of the specification, for If-Match
                     * @example "3"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "name": "guestbook",
                     *       "spec": {
                     *         "name": "guestbook",
                     *         "components": {
                     *           "db": {
                     *             "port": "postgres",
                     *             "version": "17",
                     *             "vars": {
                     *               "POSTGRES_DB": "guestbook"
                     *             }
                     *           },
                     *           "web": {
                     *             "port": "nodejs-app",
                     *             "version": "24",
                     *             "source": {
                     *               "path": "./app",
                     *               "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
                     *             },
                     *             "needs": [
                     *               "db"
                     *             ],
                     *             "env": {
                     *               "DATABASE_URL": "${db.POSTGRES_URL}"
                     *             }
                     *           }
                     *         }
                     *       },
                     *       "specVersion": 3,
                     *       "release": 2,
                     *       "state": "running",
                     *       "protected": false,
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "updatedAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ProjectDto"];
                };
            };
            /** @description The project that was created */
            201: {
                headers: {
                    /**
                     * @description Version of the specification, for If-Match
                     * @example "3"
                     */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "name": "guestbook",
                     *       "spec": {
                     *         "name": "guestbook",
                     *         "components": {
                     *           "db": {
                     *             "port": "postgres",
                     *             "version": "17",
                     *             "vars": {
                     *               "POSTGRES_DB": "guestbook"
                     *             }
                     *           },
                     *           "web": {
                     *             "port": "nodejs-app",
                     *             "version": "24",
                     *             "source": {
                     *               "path": "./app",
                     *               "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000"
                     *             },
                     *             "needs": [
                     *               "db"
                     *             ],
                     *             "env": {
                     *               "DATABASE_URL": "${db.POSTGRES_URL}"
                     *             }
                     *           }
                     *         }
                     *       },
                     *       "specVersion": 3,
                     *       "release": 2,
                     *       "state": "running",
                     *       "protected": false,
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "updatedAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ProjectDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description It has changed since you read it */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:precondition",
                     *       "title": "It has changed since you read it",
                     *       "status": 412,
                     *       "code": "PRECONDITION",
                     *       "detail": "It has changed since you read it.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getTeamQuota: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The quota */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "resources": [
                     *         {
                     *           "resource": "components",
                     *           "limit": 60,
                     *           "source": "team",
                     *           "used": 12,
                     *           "planned": 15
                     *         }
                     *       ],
                     *       "own": {
                     *         "projects": 20,
                     *         "components": 60,
                     *         "memory": 8589934592,
                     *         "cpu": 4.5,
                     *         "disk": 53687091200,
                     *         "listenPorts": 40
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["TeamQuotaDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    setTeamQuota: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "projects": 20,
                 *       "components": 60,
                 *       "memory": 8589934592,
                 *       "cpu": 4.5,
                 *       "disk": 53687091200,
                 *       "listenPorts": 40
                 *     }
                 */
                "application/json": components["schemas"]["QuotaLimitsDto"];
            };
        };
        responses: {
            /** @description The quota as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *       "resources": [
                     *         {
                     *           "resource": "components",
                     *           "limit": 60,
                     *           "source": "team",
                     *           "used": 12,
                     *           "planned": 15
                     *         }
                     *       ],
                     *       "own": {
                     *         "projects": 20,
                     *         "components": 60,
                     *         "memory": 8589934592,
                     *         "cpu": 4.5,
                     *         "disk": 53687091200,
                     *         "listenPorts": 40
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["TeamQuotaDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/quota",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listTeamRoles: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of roles, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "release-manager",
                     *           "description": "Deploys what is ready.",
                     *           "rules": [],
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "updatedAt": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["RolePageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createTeamRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "release-manager",
                 *       "description": "Deploys what is ready.",
                 *       "rules": [
                 *         {
                 *           "action": [
                 *             "read",
                 *             "read-logs",
                 *             "deploy",
                 *             "operate",
                 *             "update"
                 *           ],
                 *           "subject": "Project"
                 *         },
                 *         {
                 *           "action": [
                 *             "deploy",
                 *             "operate",
                 *             "update"
                 *           ],
                 *           "subject": "Project",
                 *           "conditions": {
                 *             "protected": true
                 *           },
                 *           "inverted": true
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["CreateRoleDto"];
            };
        };
        responses: {
            /** @description The role */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "release-manager",
                     *       "description": "Deploys what is ready.",
                     *       "rules": [
                     *         {
                     *           "action": [
                     *             "read",
                     *             "deploy"
                     *           ],
                     *           "subject": "Project",
                     *           "conditions": {
                     *             "protected": false
                     *           },
                     *           "inverted": false
                     *         }
                     *       ],
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "updatedAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["RoleDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getTeamRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                roleId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The role */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "release-manager",
                     *       "description": "Deploys what is ready.",
                     *       "rules": [
                     *         {
                     *           "action": [
                     *             "read",
                     *             "deploy"
                     *           ],
                     *           "subject": "Project",
                     *           "conditions": {
                     *             "protected": false
                     *           },
                     *           "inverted": false
                     *         }
                     *       ],
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "updatedAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["RoleDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deleteTeamRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                roleId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The role is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    updateTeamRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                roleId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "release-manager",
                 *       "description": "Deploys what is ready.",
                 *       "rules": [
                 *         {
                 *           "action": [
                 *             "read",
                 *             "read-logs",
                 *             "deploy",
                 *             "operate",
                 *             "update"
                 *           ],
                 *           "subject": "Project"
                 *         },
                 *         {
                 *           "action": [
                 *             "deploy",
                 *             "operate",
                 *             "update"
                 *           ],
                 *           "subject": "Project",
                 *           "conditions": {
                 *             "protected": true
                 *           },
                 *           "inverted": true
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["UpdateRoleDto"];
            };
        };
        responses: {
            /** @description The role */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "release-manager",
                     *       "description": "Deploys what is ready.",
                     *       "rules": [
                     *         {
                     *           "action": [
                     *             "read",
                     *             "deploy"
                     *           ],
                     *           "subject": "Project",
                     *           "conditions": {
                     *             "protected": false
                     *           },
                     *           "inverted": false
                     *         }
                     *       ],
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "updatedAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["RoleDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/roles/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listServiceAccounts: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of service accounts, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "deployer",
                     *           "email": "deployer@web-shop.service",
                     *           "role": "developer",
                     *           "roleId": null,
                     *           "roleName": "developer",
                     *           "createdAt": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceAccountPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createServiceAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "developer",
                 *       "roleId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                 *       "name": "deployer"
                 *     }
                 */
                "application/json": components["schemas"]["CreateServiceAccountDto"];
            };
        };
        responses: {
            /** @description The service account */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "deployer",
                     *       "email": "deployer@web-shop.service",
                     *       "role": "developer",
                     *       "roleId": null,
                     *       "roleName": "developer",
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceAccountDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deleteServiceAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                accountId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service account is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    updateServiceAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                accountId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "developer",
                 *       "roleId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                 *     }
                 */
                "application/json": components["schemas"]["UpdateServiceAccountDto"];
            };
        };
        responses: {
            /** @description The service account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "deployer",
                     *       "email": "deployer@web-shop.service",
                     *       "role": "developer",
                     *       "roleId": null,
                     *       "roleName": "developer",
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceAccountDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listServiceAccountTokens: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                accountId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of tokens, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "github-actions",
                     *           "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "scopes": [
                     *             "read",
                     *             "deploy:0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *           ],
                     *           "expiresAt": "2026-04-01T00:00:00.000Z",
                     *           "expired": false,
                     *           "lastUsedAt": "2026-01-02T08:30:00.000Z",
                     *           "lastUsedAddress": "198.51.100.7",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["TokenPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createServiceAccountToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                accountId: string;
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "github-actions",
                 *       "scopes": [
                 *         "read",
                 *         "deploy:web-shop/guestbook"
                 *       ],
                 *       "expiresInDays": 90
                 *     }
                 */
                "application/json": components["schemas"]["CreateServiceTokenDto"];
            };
        };
        responses: {
            /** @description The token */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "name": "github-actions",
                     *       "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "scopes": [
                     *         "read",
                     *         "deploy:0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *       ],
                     *       "expiresAt": "2026-04-01T00:00:00.000Z",
                     *       "expired": false,
                     *       "lastUsedAt": "2026-01-02T08:30:00.000Z",
                     *       "lastUsedAddress": "198.51.100.7",
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "token": "hithe_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0YM00h"
                     *     }
                     */
                    "application/json": components["schemas"]["CreatedTokenDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The quota is used up */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:rate",
                     *       "title": "Too many requests",
                     *       "status": 429,
                     *       "code": "RATE",
                     *       "detail": "Too many requests.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revokeServiceAccountToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                accountId: string;
                teamId: string;
                tokenId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/service-accounts/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    uploadSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        /** @description The archive */
        requestBody: {
            content: {
                "application/gzip": string;
            };
        };
        responses: {
            /** @description The archive is stored */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "digest": "sha256-0000000000000000000000000000000000000000000000000000000000000000",
                     *       "size": 18224
                     *     }
                     */
                    "application/json": components["schemas"]["SourceDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sources",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sources",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sources",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sources",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The archive is larger than 64 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:internal",
                     *       "title": "Something went wrong on our side",
                     *       "status": 413,
                     *       "code": "INTERNAL",
                     *       "detail": "Something went wrong on our side.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sources",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description The body is not application/gzip */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:internal",
                     *       "title": "Something went wrong on our side",
                     *       "status": 413,
                     *       "code": "INTERNAL",
                     *       "detail": "Something went wrong on our side.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sources",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listTeamTokens: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of tokens, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "name": "github-actions",
                     *           "userId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "scopes": [
                     *             "read",
                     *             "deploy:0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *           ],
                     *           "expiresAt": "2026-04-01T00:00:00.000Z",
                     *           "expired": false,
                     *           "lastUsedAt": "2026-01-02T08:30:00.000Z",
                     *           "lastUsedAddress": "198.51.100.7",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "createdBy": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["TokenPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revokeTeamToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
                tokenId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/tokens/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    transferTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "grace@example.org"
                 *     }
                 */
                "application/json": components["schemas"]["TransferTeamDto"];
            };
        };
        responses: {
            /** @description The team, with the role that the caller has left */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "slug": "harbour-crew",
                     *       "name": "Harbour crew",
                     *       "number": 3,
                     *       "personal": false,
                     *       "role": "owner",
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["TeamDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/transfer",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/transfer",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/transfer",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/transfer",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/transfer",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getTeamUsage: {
        parameters: {
            query?: {
                /** @description What each line is about */
                by?: "day" | "project" | "component";
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description First day, UTC; absent: the first of the month */
                from?: string;
                /** @description Most items to return */
                limit?: number;
                /** @description Last day, included; absent: today */
                to?: string;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of usage */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "day": "2026-01-31",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *           "team": "shop",
                     *           "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "project": "guestbook",
                     *           "component": "web",
                     *           "cpuSeconds": 5210.4,
                     *           "memoryGbHours": 12.25,
                     *           "storedGbHours": 48,
                     *           "storedMostBytes": 2147483648
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["UsagePageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    exportTeamUsage: {
        parameters: {
            query?: {
                /** @description CSV with a head line, or one JSON object per line */
                format?: "csv" | "jsonl";
                /** @description First day, UTC; absent: the first of the month */
                from?: string;
                /** @description Last day, included; absent: today */
                to?: string;
            };
            header?: never;
            path: {
                teamId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One line for each component and day */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example {"day":"2026-01-31","team":"shop"} */
                    "application/jsonl": string;
                    /**
                     * @example day,team,teamId,project,…
                     *     2026-01-31,shop,0199a7c2-…,guestbook,…
                     */
                    "text/csv": string;
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/teams/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/usage/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getUsage: {
        parameters: {
            query?: {
                /** @description What each line is about */
                by?: "day" | "project" | "component" | "team";
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description First day, UTC; absent: the first of the month */
                from?: string;
                /** @description Most items to return */
                limit?: number;
                /** @description Last day, included; absent: today */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of usage */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "day": "2026-01-31",
                     *           "teamId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56",
                     *           "team": "shop",
                     *           "projectId": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "project": "guestbook",
                     *           "component": "web",
                     *           "cpuSeconds": 5210.4,
                     *           "memoryGbHours": 12.25,
                     *           "storedGbHours": 48,
                     *           "storedMostBytes": 2147483648
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["UsagePageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/usage",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/usage",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/usage",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    exportUsage: {
        parameters: {
            query?: {
                /** @description CSV with a head line, or one JSON object per line */
                format?: "csv" | "jsonl";
                /** @description First day, UTC; absent: the first of the month */
                from?: string;
                /** @description Last day, included; absent: today */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One line for each component and day */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example {"day":"2026-01-31","team":"shop"} */
                    "application/jsonl": string;
                    /**
                     * @example day,team,teamId,project,…
                     *     2026-01-31,shop,0199a7c2-…,guestbook,…
                     */
                    "text/csv": string;
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/usage/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/usage/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/usage/export",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of users, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "email": "ada@example.org",
                     *           "platformAdmin": false,
                     *           "disabled": false,
                     *           "createdAt": "2026-01-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["UserPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.org",
                 *       "password": "correct horse battery staple"
                 *     }
                 */
                "application/json": components["schemas"]["CreateUserDto"];
            };
        };
        responses: {
            /** @description The user, and the generated password if there is one */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "ada@example.org",
                     *       "platformAdmin": false,
                     *       "disabled": false,
                     *       "createdAt": "2026-01-01T00:00:00.000Z",
                     *       "initialPassword": "kfReT-9aXmw-Q3bnH-yLe4z"
                     *     }
                     */
                    "application/json": components["schemas"]["CreatedUserDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/users",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "ada@example.org",
                     *       "platformAdmin": false,
                     *       "disabled": false,
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["UserDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    changeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "disabled": true,
                 *       "platformAdmin": false
                 *     }
                 */
                "application/json": components["schemas"]["ChangeUserDto"];
            };
        };
        responses: {
            /** @description The user */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "email": "ada@example.org",
                     *       "platformAdmin": false,
                     *       "disabled": false,
                     *       "createdAt": "2026-01-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["UserDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description This conflicts with the present state */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:conflict",
                     *       "title": "This conflicts with the present state",
                     *       "status": 409,
                     *       "code": "CONFLICT",
                     *       "detail": "This conflicts with the present state.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    createPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The link */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "link": "https://hithe.example.org/password-reset#hithe_pr_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE",
                     *       "expiresAt": "2026-01-01T01:00:00.000Z",
                     *       "mailed": false
                     *     }
                     */
                    "application/json": components["schemas"]["PasswordResetLinkDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/password-reset",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/password-reset",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/password-reset",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/password-reset",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    resetSecondFactors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user logs in with the password alone, and may set up new factors */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/second-factors",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    listUserSessions: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before; absent for the first page */
                cursor?: string;
                /** @description Most items to return */
                limit?: number;
            };
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of sessions, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55",
                     *           "createdAt": "2026-01-01T00:00:00.000Z",
                     *           "lastUsedAt": "2026-01-01T08:30:00.000Z",
                     *           "address": "203.0.113.7",
                     *           "userAgent": "hithe-cli/1.0.0",
                     *           "methods": [
                     *             "password",
                     *             "totp"
                     *           ],
                     *           "current": true
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["SessionPageDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
    revokeUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many have ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "endedSessions": 2
                     *     }
                     */
                    "application/json": components["schemas"]["EndedSessionsDto"];
                };
            };
            /** @description The request is not valid */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:invalid",
                     *       "title": "The request is not valid",
                     *       "status": 400,
                     *       "code": "INVALID",
                     *       "detail": "The request is not valid.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description Log in first */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:unauthenticated",
                     *       "title": "Log in first",
                     *       "status": 401,
                     *       "code": "UNAUTHENTICATED",
                     *       "detail": "Log in first.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description You may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:forbidden",
                     *       "title": "You may not do this",
                     *       "status": 403,
                     *       "code": "FORBIDDEN",
                     *       "detail": "You may not do this.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "urn:hithe:problem:not-found",
                     *       "title": "There is no such thing",
                     *       "status": 404,
                     *       "code": "NOT_FOUND",
                     *       "detail": "There is no such thing.",
                     *       "instance": "/api/v1/users/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55/sessions",
                     *       "requestId": "0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["ProblemDto"];
                };
            };
        };
    };
}
