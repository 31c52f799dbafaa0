from datetime import datetime

import pytest

from sandbox.page.mrkdwn import MrkdwnRenderer, format_date_tokens

LINK_ATTRIBUTES = 'target="_blank" rel="noreferrer"'


def look_up_name(sigil: str, id_: str) -> str:
    return {"U1": "Ada", "S1": "agents", "C1": "support"}.get(id_, f"{sigil}{id_}?")


@pytest.mark.parametrize(
    ("text", "expected"),
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
        ("<https://a.b/?c&amp;d|A &lt; B>", f'<a href="https://a.b/?c&amp;d" {LINK_ATTRIBUTES}>A &lt; B</a>'),
        ("see https://a.b/c.", f'see <a href="https://a.b/c" {LINK_ATTRIBUTES}>https://a.b/c</a>.'),
        ("<javascript:alert(1)|click>", "click"),
        ('<https://a.b/"onclick="x|y>', f'<a href="https://a.b/&#34;onclick=&#34;x" {LINK_ATTRIBUTES}>y</a>'),
        ("<!unknown^1|words>", "words"),
    ],
)
def test_mrkdwn_is_rendered_like_in_slack(text: str, expected: str) -> None:
    assert MrkdwnRenderer(look_up_name).render(text) == expected


def test_a_date_is_rendered_in_the_local_time_zone() -> None:
    at = datetime.fromtimestamp(1_760_000_000).astimezone()

    rendered = MrkdwnRenderer(look_up_name).render("<!date^1760000000^{date_num} at {time}|then>")

    assert rendered == format_date_tokens(at, "{date_num} at {time}")


def test_date_tokens_are_formatted_like_in_slack() -> None:
    at = datetime.fromisoformat("2026-03-09T15:04:05+00:00")

    assert format_date_tokens(at, "{date} {date_short} {time}") == "March 9, 2026 Mar 9, 2026 3:04 PM"
    assert format_date_tokens(at, "{date_long} {other}") == "Monday, March 9, 2026 {other}"


def test_plain_text_renders_emoji_only() -> None:
    assert MrkdwnRenderer(look_up_name).render_plain("*a* <b> :tada:") == "*a* &lt;b&gt; 🎉"
