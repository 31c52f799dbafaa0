// A baseline in JavaScript, written as Bolt's documentation shows it: default settings, no database.

const { App } = require("@slack/bolt");
const { surveyForm, surveyFields, sendSurvey, confirmation } = require("./survey");

const env = process.env;

const app = new App({
  token: env.SLACK_BOT_TOKEN,
  signingSecret: env.SLACK_SIGNING_SECRET,
  clientOptions: { slackApiUrl: `${env.SLACK_API_URL}/` },
});

app.command("/csat", async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: surveyForm(body) });
});

app.view("survey_form", async ({ ack, body, view, client }) => {
  await ack();
  const fields = surveyFields(view.state.values);
  await sendSurvey(fields);
  await client.chat.postMessage({
    channel: JSON.parse(view.private_metadata).channel,
    text: `<@${body.user.id}> sent a survey to ${fields.to_user_id} on X.`,
    blocks: confirmation(body.user.id, fields),
    unfurl_links: false,
    unfurl_media: false,
  });
});

(async () => {
  await app.start({ port: Number(env.PORT), host: "127.0.0.1" });
})();
