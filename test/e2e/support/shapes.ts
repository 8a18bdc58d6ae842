/** What the tests read of `hithe status --json`. */
export interface StatusShape {
  state: string;
  health: string;
  release: number | null;
  components: ComponentShape[];
}

export interface ComponentShape {
  name: string;
  state: string;
  health: string;
  restarts: number;
  pid?: number;
  uid?: number;
  message?: string;
  endpoints: { name: string; protocol: string; address: string; port: number; url?: string }[];
}

/** The component of that name. */
export function componentOf(status: StatusShape, name: string): ComponentShape {
  const found = status.components.find((component) => component.name === name);
  if (found === undefined) throw new Error(`the status has no component ${name}`);
  return found;
}

/** The address at which a component answers by HTTP, without a slash at its end. */
export function addressOf(status: StatusShape, name: string): string {
  const endpoint = componentOf(status, name).endpoints.find(({ protocol }) => protocol === 'http');
  if (endpoint === undefined) throw new Error(`${name} has no http endpoint`);
  return `http://${endpoint.address}:${endpoint.port}`;
}

/** Component → process id. */
export function pidsOf(status: StatusShape): Record<string, number | undefined> {
  return Object.fromEntries(status.components.map(({ name, pid }) => [name, pid]));
}
