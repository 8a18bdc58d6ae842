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
        LoginDto: {
            /** @example ada@example.org */
            email: string;
            /**
             * Format: password
             * @example correct horse battery staple
             */
            password: string;
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
                     *       "type": "urn:hithe:problem:quota",
                     *       "title": "The quota is used up",
                     *       "status": 429,
                     *       "code": "QUOTA",
                     *       "detail": "The quota is used up.",
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
