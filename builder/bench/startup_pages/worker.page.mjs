// A contender's page: everything happens in one worker, which is started at once.
import { answered, facts, failed, photo, threads, url } from "./report.mjs";

const worker = new Worker(url(facts.worker), { type: facts.workerType });
worker.onmessage = ({ data }) => (data.error ? failed(data.error) : answered(data.answer));
worker.onerror = (event) => failed(event.message || `${facts.worker} could not be started`);

const urls = Object.fromEntries(Object.entries(facts.urls).map(([name, at]) => [name, url(at)]));
const input = facts.task === "label" ? photo() : facts.text;
worker.postMessage({ ...facts.settings, urls, threads, input });
