from infra.install import handed_on, pip_settings

from infra import install

LISTING = """\
global.index-url='https://mirror.example/simple'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.cert='/etc/ca.pem'
:env:.cert='/home/ca.pem'
download.cert='/never.pem'
"""


class TestPipSettings:
    def test_let_variables_win_over_files(self):
        settings = pip_settings(LISTING)

        assert settings["cert"] == "/home/ca.pem"
        assert settings["index-url"] == "https://mirror.example/simple"


class TestHandedOn:
    def test_means_to_uv_what_it_means_to_pip(self):
        arguments, environment = handed_on(pip_settings(LISTING), {"PATH": "/bin"})

        assert arguments == [
            *("--index", "https://one.example/simple"),
            *("--index", "https://two.example/simple"),
            *("--index-strategy", "unsafe-best-match"),
        ]
        assert environment["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
        assert environment["SSL_CERT_FILE"] == "/home/ca.pem"
        assert environment["PATH"] == "/bin"

    def test_lets_the_user_s_own_settings_of_uv_win(self):
        own = {"UV_DEFAULT_INDEX": "https://own.example/simple"}

        _, environment = handed_on(pip_settings(LISTING), own)

        assert environment["UV_DEFAULT_INDEX"] == "https://own.example/simple"

    def test_adds_nothing_where_pip_has_no_settings(self):
        arguments, environment = handed_on({}, {})

        assert arguments == []
        assert set(environment) == {"UV_PYTHON_DOWNLOADS"}


class TestMain:
    def test_keeps_what_it_says_out_of_what_make_prints(self, monkeypatch, capsys):
        monkeypatch.setattr(install, "_run", lambda *_, **__: None)

        install.main("uv")

        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("== installing uv into .uv")
