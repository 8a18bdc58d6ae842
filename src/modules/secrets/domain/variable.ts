/** What a variable holds: a text for all to see, a secret, or the address of a secret that is kept elsewhere. */
export const VARIABLE_KINDS = ['plain', 'secret', 'reference'] as const;
export type VariableKind = (typeof VARIABLE_KINDS)[number];

/** The scope of a whole project, where a component's name stands otherwise. */
export const PROJECT_SCOPE = '';

/** The present version of a variable, without a secret value. */
export interface SetVariable {
  /** `PROJECT_SCOPE`, or the component that alone gets it. */
  component: string;
  name: string;
  version: number;
  kind: VariableKind;
  /** The text of a plain one, the address of a reference; null for a secret. */
  value: string | null;
}

/** A variable as a release pins it. */
export interface PinnedVariable {
  origin: 'component' | 'project' | 'file';
  kind: VariableKind;
  /** Whether it is part of the process's environment, or a var of the port. */
  as: 'env' | 'var';
  /** Of the variable; absent when hithe.yaml names the reference. */
  version?: number;
  reference?: string;
  /** Version of the copy of what the reference named when it was deployed. */
  copy?: number;
}

/** Where a value of a component comes from; the first that has one wins. */
export const VARIABLE_ORIGINS = ['component', 'project', 'file', 'generated'] as const;
export type VariableOrigin = (typeof VARIABLE_ORIGINS)[number];

/** The variables that reach one component: its own, over those of the project where `takesProject`. By name. */
export function variablesFor(component: string, takesProject: boolean, all: readonly SetVariable[]): Map<string, SetVariable> {
  const project = takesProject ? all.filter((variable) => variable.component === PROJECT_SCOPE) : [];
  const own = all.filter((variable) => variable.component === component);
  return new Map([...project, ...own].map((variable) => [variable.name, variable]));
}
