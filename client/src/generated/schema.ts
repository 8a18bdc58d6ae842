// Generated from openapi.json by client/generate.mjs; do not edit.
export interface paths {
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
         * @description Opens a session with address and password. After five failures in a quarter of an hour the pair of account and address has to wait.
         */
        post: operations["login"];
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
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show who I am
         * @description The caller, their teams and their role in each.
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
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
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
        /** @enum {string} */
        EndpointProtocol: "http" | "tcp";
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
            database: components["schemas"]["PartHealthDto"];
            isolation: components["schemas"]["PartHealthDto"];
            queue: components["schemas"]["PartHealthDto"];
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
        };
        MemberDto: {
            /** @example grace@example.org */
            email: string;
            /** @example developer */
            role: components["schemas"]["TeamRole"];
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
            role: components["schemas"]["TeamRole"];
            /** @example harbour-crew */
            slug: string;
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
        PutMemberDto: {
            /**
             * @description Address of an existing user
             * @example grace@example.org
             */
            email: string;
            /** @example developer */
            role: components["schemas"]["TeamRole"];
        };
        RefreshTokenDto: {
            /**
             * @description The refresh token of the last log-in or refresh; each works once
             * @example hithe_rt_8w2vQm3k5s1rC0pTn6yXe7zLdJ4bHfGa9uUiOqWcRtE
             */
            refreshToken: string;
        };
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
            role: components["schemas"]["TeamRole"] | null;
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
        /** @enum {string} */
        TeamRole: "owner" | "admin" | "developer" | "viewer";
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
        UserPageDto: {
            /** @description The items of this page, in order */
            items: components["schemas"]["UserDto"][];
            /**
             * @description Pass it as `cursor` for the next page; null at the end
             * @example null
             */
            nextCursor: string | null;
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
                     *       ]
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
                     *           "role": "developer",
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
                 *       "role": "developer"
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
                     *       "role": "developer",
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
}
