from datetime import datetime

import pytest

from sandbox.page.mrkdwn import Mrkdwn, dated

SAFELY = 'target="_blank" rel="noreferrer"'


def name(sigil: str, id_: str) -> str:
    return {"U1": "Ada", "S1": "agents", "C1": "support"}.get(id_, f"{sigil}{id_}?")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain &amp; &lt;b&gt;", "plain &amp; &lt;b&gt;"),
        ("<b>", "&lt;b&gt;"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("*bold* _it_ ~no~ `x*y*`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>x*y*</code>"),
        ("*a _b_ c*", "<strong>a <em>b</em> c</strong>"),
        ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
        ("one\ntwo", "one<br>two"),
        ("&gt; quoted\n&gt; twice\nnot", "<blockquote>quoted<br>twice</blockquote>not"),
        ("```<x> *y*```", "<pre>&lt;x&gt; *y*</pre>"),
        ("an ``` alone", "an ``` alone"),
        (":tada: 10:30:45 :nothing_such:", "🎉 10:30:45 :nothing_such:"),
        ("<@U1>", '<span class="mention">@Ada</span>'),
        ("<#C1|x>", '<span class="mention">#support</span>'),
        ("<!subteam^S1>", '<span class="mention">@agents</span>'),
        ("<!channel>", '<span class="mention broadcast">@channel</span>'),
        ("&lt;!channel&gt;", "&lt;!channel&gt;"),
        ("<https://a.b/?c&amp;d|A &lt; B>", f'<a href="https://a.b/?c&amp;d" {SAFELY}>A &lt; B</a>'),
        ("see https://a.b/c.", f'see <a href="https://a.b/c" {SAFELY}>https://a.b/c</a>.'),
        ("<javascript:alert(1)|click>", "click"),
        ('<https://a.b/"onclick="x|y>', f'<a href="https://a.b/&#34;onclick=&#34;x" {SAFELY}>y</a>'),
        ("<!unknown^1|words>", "words"),
    ],
)
def test_mrkdwn_is_drawn_as_slack_draws_it(text: str, drawn: str) -> None:
    assert Mrkdwn(name)(text) == drawn


def test_a_date_is_told_in_this_machines_time() -> None:
    at = datetime.fromtimestamp(1_760_000_000).astimezone()

    drawn = Mrkdwn(name)("<!date^1760000000^{date_num} at {time}|then>")

    assert drawn == dated(at, "{date_num} at {time}")


def test_dates_have_slacks_words() -> None:
    at = datetime.fromisoformat("2026-03-09T15:04:05+00:00")

    assert dated(at, "{date} {date_short} {time}") == "March 9, 2026 Mar 9, 2026 3:04 PM"
    assert dated(at, "{date_long} {other}") == "Monday, March 9, 2026 {other}"


def test_plain_text_knows_emoji_alone() -> None:
    assert Mrkdwn(name).plain("*a* <b> :tada:") == "*a* &lt;b&gt; 🎉"
