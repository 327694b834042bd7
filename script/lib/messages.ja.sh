# The messages of the scripts in script/. They are printed before Python and the message catalogue can be used.
MSG_APT='Debian パッケージを入れています: %s'
MSG_APT_FAILED='  %s は入れられませんでした。なくても続けられます。'
MSG_READ_ONLY='%s に書き込めないため、準備ができません。書き込める場所に clone し直すか、持ち主のユーザーで一度実行してください。'
MSG_VENV='初回の準備をしています (.venv を作ります。1 分ほどかかることがあります) ...'
MSG_NO_PYTHON='Python 3.11 以降が見つかりません。Debian 12 以降と Ubuntu 24.04 以降では `sudo apt-get install python3 python3-venv` で入ります。別の場所の Python を使うには OCI_TUTOR_PYTHON で指定してください。'
MSG_NO_VENV='Python の venv が使えません。`sudo apt-get install %s` を実行してから、もう一度お試しください。'
MSG_VENV_FAILED='仮想環境 .venv を作れませんでした。ディスクの空き容量を確認してから、もう一度お試しください。'
MSG_PIP_FAILED='Python パッケージを入れられませんでした。ネットワークとディスクの空き容量を確認してから、もう一度お試しください (記録: %s)。'
MSG_MISSING='次のものがないまま続けます: %s(入れ方は `oci-tutor doctor` が案内します)'
MSG_STEP='── %s'
MSG_VM_USAGE='使い方: script/test --vm [%s] [verify [レッスン...] | pytest の引数]'
MSG_VM_MISSING='script/test --vm には次のものが要りますが、入れられませんでした: %s(apt-get と、root か sudo が要ります)'
MSG_VM_IMAGE='仮想マシンのディスクを Debian %s のパッケージから作っています (初回のみ、数分) ...'
MSG_VM_IMAGE_FAILED='仮想マシンを作れませんでした。ネットワークとディスクの空き容量 (4 GB) を確認してから、もう一度お試しください。'
MSG_VM_BOOT='── %s (Debian %s の仮想マシンの中で: cgroup v2、systemd)'
MSG_VM_NO_END='仮想マシンが、テストを終えないまま止まりました。最後の出力は上のとおりです。'
MSG_NO_WHEELHOUSE='OCI_TUTOR_WHEELHOUSE のディレクトリ %s がありません。'
MSG_WHEELHOUSE_FAILED='%s のパッケージを入れられませんでした。ネットワークのあるマシンの、同じ版のチェックアウトで `script/wheelhouse` (script/test には `script/wheelhouse --dev`) を実行して、集め直してください (記録: %s)。'
MSG_WHEELHOUSE_USAGE='使い方: script/wheelhouse [--dev] [--here] DIR

ネットワークのないマシンで準備をするための Python パッケージを、DIR に集めます。
  --dev   script/test に要るものも集めます
  --here  このマシンの Python とアーキテクチャの分だけにします (省略すると、x86_64 と aarch64 の Python 3.11〜3.14 の分を集めます)'
MSG_WHEELHOUSE_FOR='Python %s (%s) のパッケージを集めています ...'
MSG_WHEELHOUSE_INCOMPLETE='集められないパッケージがありました。ネットワークとディスクの空き容量を確認してから、もう一度お試しください。'
MSG_WHEELHOUSE_DONE='%s に集めました。チェックアウトの中に wheelhouse という名前で置くか、環境変数 OCI_TUTOR_WHEELHOUSE で指定すると、準備にネットワークを使いません。'
MSG_NO_MANUAL_PICTURES='画面の画像は作り直しましたが、マニュアルの画像 (docs/*.png) はそのままです。次のものがありません: %s(Debian では `sudo apt-get install %s` で入ります)'
MSG_PEERS_USAGE='使い方: script/test --peers %s [pytest の引数]'
MSG_PEERS_MISSING='script/test --peers には次のものが要りますが、入れられませんでした: %s(apt-get と、root か sudo が要ります)'
MSG_PEERS_NO_ROOT='script/test --peers には root 権限と、マウントと PID の名前空間が要ります。root で実行するか、sudo を使える環境で実行してください。'
MSG_PEERS_ROOT='Debian %s のルートファイルシステムを作っています (初回のみ、2 分ほど) ...'
MSG_PEERS_FAILED='別の版の Debian のルートファイルシステムを作れませんでした。ネットワークとディスクの空き容量 (2 GB) を確認してから、もう一度お試しください。'
MSG_PEERS_VERSIONS='── %s: %s'
MSG_ENGINE_USAGE='使い方: script/test --engine PATH

PATH は、どの版でもよい runc か crun です。記録のどの版とも違う性質を表示し、エラーの説明を確かめ、すべてのレッスンをそのエンジンで行います。'
MSG_ENGINE_NO_PROGRAM='%s は、実行できるプログラムではありません。runc か crun のパス（ソースで `make` した後の ./runc など）を指定してください。'
MSG_ENGINE_UNKNOWN='%s は、runc でも crun でもありません（`--version` が `runc version ...` とも `crun version ...` とも言いません）。'
