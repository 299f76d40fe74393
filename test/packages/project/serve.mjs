// Serves a model over HTTP, as installed: the page comes along, and the model's class is the one that `recurra` has.
import { TextClassifier } from 'recurra';
import { createServer } from 'recurra/serve';

const model = await TextClassifier.load('model.safetensors');
const server = await createServer(model, { port: 0 });
const url = await server.listen();
const answer = await fetch(`${url}/predict`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ text: 'my cat' }),
});
const { label } = await answer.json();
const page = (await (await fetch(url)).text()).slice(0, 15);
const ended = await server.close();
await model.close();
console.log(JSON.stringify({ label, same: model instanceof TextClassifier, page, ended }));
