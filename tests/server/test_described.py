"""Operations that no module knows, as the `openai` client sees them: in strict validation of what they answer."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest
import pytest_asyncio

from tests.conftest import Serve

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client's own, of assistants and videos

GRADER: Any = {"type": "string_check", "name": "x", "input": "a", "operation": "eq", "reference": "b"}
SOURCE: Any = {"type": "custom", "item_schema": {"type": "object"}}
SKILL = ("x/SKILL.md", b"# Be kind", "text/markdown")


def client(url: str, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{url}/v1",
        api_key="any",
        admin_api_key="any",
        max_retries=0,
        _strict_response_validation=True,
        **options,
    )


@pytest_asyncio.fixture
async def api(serve: Serve) -> AsyncIterator[openai.AsyncOpenAI]:
    server = await serve()
    async with client(server.url) as api:
        yield api


async def test_a_fine_tuning_job_goes_on_each_time_that_it_is_looked_at(api: openai.AsyncOpenAI) -> None:
    jobs = api.fine_tuning.jobs
    made = await jobs.create(model="gpt-4o-mini", training_file="file-1", suffix="mine", seed=7)

    looks = [await jobs.retrieve(made.id) for _ in range(5)]

    assert (made.id[:6], made.model, made.training_file, made.seed) == ("ftjob-", "gpt-4o-mini", "file-1", 7)
    assert [each.status for each in looks] == ["validating_files", "queued", "running", "succeeded", "succeeded"]
    assert looks[0] == made
    assert (looks[-1].fine_tuned_model or "").startswith("ft:gpt-4o-mini:")
    assert [each.id async for each in jobs.list()] == [made.id]


async def test_what_is_done_to_a_job_is_its_status(api: openai.AsyncOpenAI) -> None:
    jobs = api.fine_tuning.jobs
    made = await jobs.create(model="gpt-4o-mini", training_file="file-1")

    states = [await act(made.id) for act in (jobs.resume, jobs.cancel)]

    assert [each.status for each in states] == ["running", "cancelled"]
    assert len((await jobs.list_events(made.id)).data) == 2
    assert len((await jobs.checkpoints.list(made.id)).data) == 2


async def test_a_permission_is_made_for_each_project(api: openai.AsyncOpenAI) -> None:
    permissions = api.fine_tuning.checkpoints.permissions

    made = await permissions.create("ft:gpt-4o:x", project_ids=["proj_a", "proj_b"])
    gone = await permissions.delete(made.data[0].id, fine_tuned_model_checkpoint="ft:gpt-4o:x")
    left = await permissions.list("ft:gpt-4o:x")

    assert [each.project_id for each in made.data] == ["proj_a", "proj_b"]
    assert (gone.id, gone.deleted) == (made.data[0].id, True)
    assert [each.id for each in left.data] == [made.data[1].id]


async def test_an_eval_and_its_runs_are_made_listed_changed_and_deleted(api: openai.AsyncOpenAI) -> None:
    evals, runs = api.evals, api.evals.runs
    made = await evals.create(name="mine", data_source_config=SOURCE, testing_criteria=[GRADER])
    data: Any = {"type": "jsonl", "source": {"type": "file_id", "id": "file-1"}}
    run = await runs.create(made.id, data_source=data, name="first")

    changed = await evals.update(made.id, name="yours")
    cancelled = await runs.cancel(run.id, eval_id=made.id)

    assert (made.id[:5], run.id[:8], run.eval_id, run.status) == ("eval_", "evalrun_", made.id, "queued")
    assert (await evals.retrieve(made.id)).name == changed.name == "yours"
    assert cancelled.status == "canceled"
    assert (await runs.retrieve(run.id, eval_id=made.id)).data_source.to_dict() == data
    assert [each.name async for each in runs.list(made.id)] == ["first"]
    assert len((await runs.output_items.list(run.id, eval_id=made.id)).data) == 2
    assert (await runs.delete(run.id, eval_id=made.id)).to_dict()["object"] == "eval.run.deleted"
    assert (await evals.delete(made.id)).eval_id == made.id
    with pytest.raises(openai.NotFoundError, match=f"No eval found with id '{made.id}'"):
        await evals.retrieve(made.id)


async def test_the_bytes_of_a_file_in_a_container_come_back(api: openai.AsyncOpenAI) -> None:
    container = await api.containers.create(name="box")
    file = await api.containers.files.create(container.id, file=("a.txt", b"hello\x00", "text/plain"))

    content = await api.containers.files.content.retrieve(file.id, container_id=container.id)
    await api.containers.files.delete(file.id, container_id=container.id)

    assert (container.id[:5], container.name, file.id[:6]) == ("cntr_", "box", "cfile_")
    assert (file.bytes, file.path, file.container_id) == (6, "/mnt/data/a.txt", container.id)
    assert content.content == b"hello\x00"
    assert [each.id async for each in api.containers.files.list(container.id)] == []
    await api.containers.delete(container.id)
    assert [each.id async for each in api.containers.list()] == []


async def test_a_run_puts_its_answer_into_the_thread(api: openai.AsyncOpenAI) -> None:
    assistant = await api.beta.assistants.create(model="gpt-4o", name="Helper")
    thread = await api.beta.threads.create(messages=[{"role": "user", "content": "Name a planet."}])
    (await api.beta.threads.messages.create(thread.id, role="user", content="Name another."),)

    run = await api.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=1
    )
    said: Any = [each async for each in api.beta.threads.messages.list(thread.id, order="asc")]
    steps = await api.beta.threads.runs.steps.list(run.id, thread_id=thread.id)

    assert run.status == "completed"
    assert [each.role for each in said] == ["user", "user", "assistant"]
    assert [each.content[0].text.value for each in said[:2]] == ["Name a planet.", "Name another."]
    assert said[2].content[0].text.value
    assert [each.to_dict()["step_details"] for each in steps.data] == [
        {"type": "message_creation", "message_creation": {"message_id": said[2].id}}
    ]


async def test_a_run_is_streamed_to_its_end(api: openai.AsyncOpenAI) -> None:
    thread = await api.beta.threads.create(messages=[{"role": "user", "content": "Name a planet."}])

    async with api.beta.threads.runs.stream(thread_id=thread.id, assistant_id="asst_1") as stream:
        events = [event.event async for event in stream]
        (message,) = await stream.get_final_messages()
    (kept,) = [each async for each in api.beta.threads.messages.list(thread.id) if each.role == "assistant"]

    assert list(dict.fromkeys(events)) == [
        *("thread.run.created", "thread.run.queued", "thread.run.in_progress"),
        *("thread.run.step.created", "thread.run.step.in_progress"),
        *("thread.message.created", "thread.message.in_progress", "thread.message.delta", "thread.message.completed"),
        *("thread.run.step.completed", "thread.run.completed"),
    ]
    assert message.content == kept.content


async def test_a_thread_that_is_made_with_its_run_is_there(api: openai.AsyncOpenAI) -> None:
    run = await api.beta.threads.create_and_run(
        assistant_id="asst_1", thread={"messages": [{"role": "user", "content": "Name a planet."}]}
    )

    thread = await api.beta.threads.retrieve(run.thread_id)
    messages: Any = await api.beta.threads.messages.list(thread.id)

    assert (await api.beta.threads.runs.retrieve(run.id, thread_id=thread.id)).id == run.id
    assert [each.content[0].text.value for each in messages.data] == ["Name a planet."]


async def test_a_skill_has_versions(api: openai.AsyncOpenAI) -> None:
    skill = await api.skills.create(files=[SKILL])
    second = await api.skills.versions.create(skill.id, files=[SKILL])

    listed = [each.version async for each in api.skills.versions.list(skill.id, order="asc")]
    archive = await (await api.skills.versions.content.retrieve("1", skill_id=skill.id)).aread()

    assert (skill.default_version, second.version, listed) == ("1", "2", ["1", "2"])
    assert (await api.skills.retrieve(skill.id)).id == skill.id
    assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == []
    assert (await api.skills.delete(skill.id)).deleted


async def test_a_video_is_done_after_a_while(api: openai.AsyncOpenAI) -> None:
    video = await api.videos.create(prompt="A cat", model="sora-2", seconds="8")

    done = await api.videos.poll(video.id, poll_interval_ms=1)
    remix = await api.videos.remix(video.id, prompt="A dog")
    content = await api.videos.download_content(video.id)

    assert (video.status, video.seconds, done.status, done.progress) == ("queued", "8", "completed", 100)
    assert {each.id async for each in api.videos.list()} == {video.id, remix.id}
    assert content.response.headers["content-type"] == "video/mp4"
    assert (await content.aread())[4:8] == b"ftyp"


async def test_a_client_secret_is_for_the_session_that_was_asked_for(api: openai.AsyncOpenAI) -> None:
    made = await api.realtime.client_secrets.create(session={"type": "realtime", "model": "gpt-realtime"})

    assert (made.session.type, made.session.model) == ("realtime", "gpt-realtime")


async def test_an_organization_has_projects_users_and_usage(api: openai.AsyncOpenAI) -> None:
    organization = api.admin.organization
    project = await organization.projects.create(name="Mine")

    users = [each async for each in organization.users.list()]
    account = await organization.projects.service_accounts.create(project.id, name="robot")
    archived = await organization.projects.archive(project.id)
    usage = await organization.usage.completions(start_time=1_700_000_000)

    assert [each.name async for each in organization.projects.list()] == ["Mine"]
    assert (await organization.users.retrieve(users[0].id)).id == users[0].id
    assert (account.id[:9], account.name) == ("svc_acct_", "robot")
    assert (archived.id, archived.status) == (project.id, "archived")
    assert usage.object == "page"
    assert usage.data


async def test_a_setting_is_as_it_was_last_said_to_be(api: openai.AsyncOpenAI) -> None:
    project = await api.admin.organization.projects.create(name="Mine")
    path = f"/organization/projects/{project.id}/model_permissions"
    said = {"mode": "deny_list", "model_ids": ["gpt-4o"]}

    before = await api.get(path, cast_to=object)
    await api.post(path, cast_to=object, body=said)
    after = await api.get(path, cast_to=object)

    assert before != after
    assert after == {"object": "project.model_permissions", **said}


@pytest.mark.parametrize(
    ("path", "asked", "param", "code"),
    [
        ("/evals", {"name": "x"}, "data_source_config", "missing_required_parameter"),
        ("/assistants", {"model": "gpt-4o", "nmae": "x"}, "nmae", "unknown_parameter"),
        ("/assistants", {"model": "gpt-4o", "name": 5}, "name", "invalid_type"),
        ("/assistants", {"model": "gpt-4o", "top_p": 2}, "top_p", "decimal_above_max_value"),
        ("/assistants", {"model": "gpt-4o", "metadata": {"k": "x" * 513}}, "metadata.k", "string_above_max_length"),
        ("/videos", {"prompt": "x", "size": "1x1"}, "size", "invalid_value"),
    ],
)
async def test_a_body_that_the_description_does_not_allow_is_refused(
    serve: Serve, path: str, asked: dict[str, Any], param: str, code: str
) -> None:
    server = await serve()

    async with aiohttp.ClientSession() as http, http.post(f"{server.url}/v1{path}", json=asked) as response:
        error = (await response.json())["error"]

    assert (response.status, error["type"], error["param"], error["code"]) == (
        *(400, "invalid_request_error"),
        *(param, code),
    )


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("?limit=x", "limit", "invalid_type"),
        ("?limit=0", "limit", "integer_below_min_value"),
        ("?color=red", "color", "unknown_parameter"),
        ("?order=up", "order", "invalid_value"),
    ],
)
async def test_a_query_that_the_description_does_not_allow_is_refused(
    serve: Serve, query: str, param: str, code: str
) -> None:
    server = await serve()

    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/v1/assistants{query}") as response:
        error = (await response.json())["error"]

    assert (response.status, error["param"], error["code"]) == (400, param, code)


async def test_required_parameters_of_a_query_are_missed(serve: Serve) -> None:
    server = await serve()

    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/v1/organization/costs") as response:
        error = (await response.json())["error"]

    assert error["message"] == "Missing required parameter: 'start_time'."


async def test_other_methods_and_paths_are_unknown_as_they_are_to_the_api(serve: Serve) -> None:
    server = await serve()

    async with aiohttp.ClientSession() as http:
        method = await http.put(f"{server.url}/v1/evals")
        path = await http.get(f"{server.url}/v1/evils")

    assert (method.status, path.status) == (405, 404)


async def test_what_is_made_up_is_a_miss_in_strict_mode(serve: Serve) -> None:
    server = await serve(on_miss="error")

    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/v1/assistants") as response:
        body = await response.json()

    assert (response.status, response.headers["x-replay-source"]) == (404, "miss")
    assert "no interaction for GET /assistants" in body["error"]["message"]


async def test_sessions_keep_their_own_objects_and_the_same_ones_each_time(serve: Serve) -> None:
    server = await serve()
    headers = [{"x-replay-session": name} for name in ("a", "b", "a")]

    async with client(server.url) as api:
        made = [await api.containers.create(name="box", extra_headers=each) for each in headers[:2]]
        listed = await api.containers.list(extra_headers=headers[2])
        async with aiohttp.ClientSession() as http:
            await http.delete(f"{server.url}/__replay/s/a")
        again = await api.containers.create(name="box", extra_headers=headers[2])

    assert [each.id for each in listed.data] == [made[0].id]
    assert again == made[0]
    assert made[0].id != made[1].id
