// A durable baseline in JavaScript: Bolt and pg-boss, written as their documentation shows it.
//
// A submission is a job in PostgreSQL before it is acknowledged. A worker in the same process sends it to X and
// confirms it; the jobs of a killed process are run again.

const { App } = require("@slack/bolt");
const { PgBoss } = require("pg-boss");
const { surveyForm, surveyFields, sendSurvey, confirmation } = require("../plain_js/survey");

const QUEUE = "surveys";
const BATCH_SIZE = 8; // as many surveys at a time as csat-slack sends
const HEARTBEAT_SECONDS = 30; // the jobs of a process without a heartbeat are run again

const env = process.env;

const app = new App({
  token: env.SLACK_BOT_TOKEN,
  signingSecret: env.SLACK_SIGNING_SECRET,
  clientOptions: { slackApiUrl: `${env.SLACK_API_URL}/` },
});
const boss = new PgBoss({ connectionString: env.DATABASE_URL, useListenNotify: true });
boss.on("error", console.error);

app.command("/csat", async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: surveyForm(body) });
});

app.view("survey_form", async ({ ack, body, view }) => {
  const job = {
    fields: surveyFields(view.state.values),
    user: body.user.id,
    channel: JSON.parse(view.private_metadata).channel,
  };
  await boss.send(QUEUE, job, { singletonKey: view.id });
  await ack();
});

async function send({ fields, user, channel }) {
  await sendSurvey(fields);
  await app.client.chat.postMessage({
    channel,
    text: `<@${user}> sent a survey to ${fields.to_user_id} on X.`,
    blocks: confirmation(user, fields),
    unfurl_links: false,
    unfurl_media: false,
  });
}

(async () => {
  await boss.start();
  await boss.createQueue(QUEUE, { policy: "exclusive", notify: true, heartbeatSeconds: HEARTBEAT_SECONDS });
  await boss.work(QUEUE, { batchSize: BATCH_SIZE, burstWhenBatchFull: true }, (jobs) =>
    Promise.all(jobs.map((job) => send(job.data))),
  );
  await app.start({ port: Number(env.PORT), host: "127.0.0.1" });
})();
