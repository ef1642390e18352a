// The schemas that the forms are made of, as the server gives them.
import { queryOptions } from '@tanstack/react-query';
import { api, data, Problem } from '@/api/client';
import type { Names, Schema } from '@/commands/schema';

interface Document {
  components: { schemas: Names };
  paths: Record<
    string,
    {
      post?: {
        requestBody?: { content: Record<string, { schema: { 'x-commands'?: Schema } }> };
      };
    }
  >;
}

/** The schemas of all commands, by their names, out of the description of the API. */
export const commandsQuery = queryOptions({
  queryKey: ['command-schemas'],
  queryFn: async () => {
    const answer = await fetch('/api/v1/openapi.json');
    if (!answer.ok) throw new Problem(answer.status, 'error', `HTTP ${answer.status}`, '', []);
    const document = (await answer.json()) as Document;
    const names = document.components.schemas;
    const body = document.paths['/api/v1/commands']?.post?.requestBody;
    const union = body?.content['application/json']?.schema['x-commands'];
    const commands = new Map<string, Schema>();
    for (const each of union?.anyOf ?? []) {
      const schema = names[each.$ref?.split('/').at(-1) ?? ''];
      const name = schema?.properties?.['command']?.enum?.[0];
      if (schema && typeof name === 'string') commands.set(name, schema);
    }
    return { names, commands };
  },
  staleTime: Infinity,
});

export const actionsQuery = (version: string) =>
  queryOptions({
    queryKey: ['ocpp-actions', version],
    queryFn: () =>
      data(api.GET('/api/v1/ocpp-schemas/{version}', { params: { path: { version } } })),
    staleTime: Infinity,
  });

export const actionQuery = (version: string, action: string) =>
  queryOptions({
    queryKey: ['ocpp-schema', version, action],
    queryFn: async () =>
      (await data(
        api.GET('/api/v1/ocpp-schemas/{version}/{action}', {
          params: { path: { version, action } },
        }),
      )) as Schema,
    staleTime: Infinity,
  });
