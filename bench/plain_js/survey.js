// The survey as the baselines in JavaScript build, send and confirm it.

const crypto = require("node:crypto");
const fs = require("node:fs");
const OAuth = require("oauth-1.0a");

const env = process.env;
const FORM = JSON.parse(fs.readFileSync(env.FORM_FILE, "utf8"));
const CREATE = `${env.X_API_URL}/1.1/feedback/create.json`;

const oauth = new OAuth({
  consumer: { key: env.X_API_KEY, secret: env.X_API_SECRET },
  signature_method: "HMAC-SHA1",
  hash_function: (base, key) => crypto.createHmac("sha1", key).update(base).digest("base64"),
});
const token = { key: env.X_ACCESS_TOKEN, secret: env.X_ACCESS_TOKEN_SECRET };

function surveyForm(body) {
  const [recipient, ...others] = FORM.blocks;
  const filledIn = { ...recipient, element: { ...recipient.element, initial_value: body.text } };
  return {
    ...FORM,
    private_metadata: JSON.stringify({ channel: body.channel_id }),
    blocks: [filledIn, ...others],
  };
}

function surveyFields(values) {
  const inputs = Object.assign({}, ...Object.values(values));
  return {
    type: inputs.metric.selected_option.value,
    to_user_id: inputs.recipient.value,
    message: inputs.message.value,
    privacy_url: inputs.privacy_url.value,
    external_id: inputs.external_id.value || "",
    question_variant_id: inputs.variant.selected_option.value,
    display_name: inputs.display_name.value || "",
    test: inputs.test.selected_options.length > 0 ? "true" : "false",
  };
}

async function sendSurvey(fields) {
  const signed = oauth.authorize({ url: CREATE, method: "POST", data: fields }, token);
  const response = await fetch(CREATE, {
    method: "POST",
    headers: { ...oauth.toHeader(signed) },
    body: new URLSearchParams(fields),
  });
  if (!response.ok) throw new Error(`X answered ${response.status}`);
  await response.json();
}

function confirmation(user, fields) {
  const recipient = { type: "link", url: `https://x.com/i/user/${fields.to_user_id}`, text: fields.to_user_id };
  const start = [{ type: "user", user_id: user }, { type: "text", text: " sent a survey to " }, recipient];
  const sentence = [...start, { type: "text", text: " on X." }];
  const details = [`${fields.type.toUpperCase()} · question ${fields.question_variant_id}`, `External ID: ${fields.external_id}`];
  return [
    { type: "rich_text", elements: [{ type: "rich_text_section", elements: sentence }] },
    { type: "context", elements: details.map((text) => ({ type: "plain_text", text, emoji: false })) },
  ];
}

module.exports = { surveyForm, surveyFields, sendSurvey, confirmation };
