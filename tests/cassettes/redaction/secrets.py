"""Secrets of every kind, made up, and put together here so that nobody's scanner takes this file for a leak."""

from hypothesis import strategies as st

LETTERS = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
HEX = "0123456789abcdef" * 4
JSON = "eyJ" + "hbGciOiJIUzI1NiJ9"

# Rule, what stands before the secret, the secret, what stands behind it.
SAMPLES: dict[str, tuple[str, str, str, str]] = {
    name: (name.partition(" ")[0], before, secret, after)
    for name, before, secret, after in [
        ("anthropic-key", "", "sk-" + "ant-api03-" + LETTERS, ""),
        ("openrouter-key", "", "sk-" + "or-v1-" + HEX, ""),
        ("langfuse-key", "", "sk-" + "lf-" + HEX[:36], ""),
        ("openai-key", "", "sk-" + LETTERS, ""),
        ("openai-key of a project", "", "sk-" + "proj-" + LETTERS + "_" + LETTERS, ""),
        ("aws-key", "", "AKIA" + "IOSFODNN7EXAMPLE", ""),
        ("aws-secret", "AWS_SECRET_ACCESS_KEY=", LETTERS + "/+aB", ""),
        ("aws-secret in JSON", '"SecretAccessKey": "', LETTERS + "/+aB", '"'),
        ("github-token", "", "gh" + "p_" + LETTERS, ""),
        ("github-token of fine grain", "", "github_" + "pat_" + LETTERS, ""),
        ("gitlab-token", "", "glp" + "at-" + LETTERS[:20], ""),
        ("google-key", "", "AI" + "za" + LETTERS[:35], ""),
        ("google-key of OAuth", "", "ya" + "29." + LETTERS, ""),
        ("slack-token", "", "xo" + "xb-123456789012-" + LETTERS, ""),
        ("slack-webhook", "https://hooks.slack.com/services/", "T0000AAAA/B0000BBBB/" + LETTERS[:24], ""),
        ("huggingface-token", "", "h" + "f_" + LETTERS[:34], ""),
        ("stripe-key", "", "sk" + "_live_" + LETTERS[:24], ""),
        ("groq-key", "", "gs" + "k_" + LETTERS, ""),
        ("xai-key", "", "xa" + "i-" + LETTERS, ""),
        ("perplexity-key", "", "pp" + "lx-" + LETTERS, ""),
        ("replicate-token", "", "r" + "8_" + LETTERS, ""),
        ("nvidia-key", "", "nva" + "pi-" + LETTERS, ""),
        ("langsmith-key", "", "lsv2" + "_pt_" + HEX[:32] + "_" + HEX[:10], ""),
        ("tavily-key", "", "tv" + "ly-" + LETTERS, ""),
        ("pinecone-key", "", "pc" + "sk_" + LETTERS, ""),
        ("databricks-token", "", "da" + "pi" + HEX[:32], ""),
        ("sendgrid-key", "", "S" + "G." + LETTERS[:22] + "." + LETTERS, ""),
        ("npm-token", "", "np" + "m_" + LETTERS, ""),
        ("pypi-token", "", "py" + "pi-AgEIcHlwaS5vcmc" + LETTERS, ""),
        ("azure-key", "", (LETTERS + LETTERS)[:52] + "JQQJ9" + "9BAACYeBjFXJ3w3AAABACOGabcd", ""),
        ("azure-key of storage", "AccountName=a;AccountKey=", LETTERS * 2 + "abcdefghijkl==", ";x=y"),
        ("api-key", "api-key: ", HEX[:32], ""),
        ("jwt", "", JSON + "." + JSON + "." + LETTERS, ""),
        ("bearer", "Authorization: Bearer ", "opaque-" + LETTERS, ""),
        ("basic", "authorization: Basic ", "dXNlcjpwYXNzd29yZA==", ""),
        ("cookie", "Set-Cookie: ", "session=" + LETTERS + "; Path=/", "\n"),
        ("connection-string", "postgres://app:", "s3cret-of-" + LETTERS[:6], "@db.example/app"),
        (
            "private-key",
            "",
            "-----BEGIN RSA "
            + "PRIVATE KEY-----\n"
            + f"{LETTERS}{LETTERS[:28]}\n" * 3
            + "-----END RSA "
            + "PRIVATE KEY-----",
            "",
        ),
    ]
}

samples = st.sampled_from(sorted(SAMPLES))
