/** Commands that no one writes by chance: not words of a language people write in. */
const COMMANDS = new Set(
  (
    'ls whoami uname wget curl bash sh zsh ksh csh tcsh nc ncat netcat nslookup ifconfig ipconfig netstat chmod chown rm mv cp ps ' +
    'perl python python2 python3 ruby php node awk gawk sed grep egrep fgrep tac rev xxd od printf eval env xargs su sudo passwd useradd ' +
    'adduser usermod df getent hostname telnet ssh scp sftp tftp rsync base64 base32 openssl gcc vim nano powershell pwsh del copy wmic mshta rundll32 ' +
    'regsvr32 cscript wscript certutil bitsadmin tasklist systeminfo strace ltrace nohup busybox crontab systemctl iptables lsof tcpdump ' +
    'lastlog lastlogin expr seq pwd mkdir rmdir ln tar gunzip unzip bzip2 xz dd ansible docker kubectl socat mknod mkfifo visudo rmt rmt-tar rmt-dump stat ' +
    'mysql psql sqlite3 htop lua luajit tclsh ping ping6 traceroute dig curlie aria2c fetch gdb cpan easy_install pip pip3 npm gem apt apt-get dpkg yum rpm dnf ' +
    'zsh fish dash ash rbash bsdtar bcdboot bcdedit ipcs id arp nmap uniq wc icacls takeown schtasks sc netsh whois hexdump strings readelf xmllint jq getfacl setfacl ' +
    'ansible-inventory ansible-vault ansible-pull chef-client chef-run chef-solo ansible-config ansible-galaxy ansible-console ansible-doc ansible-playbook chef-vault knife chroot unshare nsenter setarch tee lynx links elinks w3m axel ' +
    'invoke-webrequest invoke-expression iex iwr cmd start-process get-process set-content get-content cmd.exe phpinfo mail sendmail mailx ' +
    'gzip bzcat zcat xzcat zless zmore nl tailf dmesg lspci lscpu ifup ifdown ip iwconfig ss rcat pdksh mawk nawk vi ed ex rvim view pico emacs make cmake cc g++ clang tftp ftp rlogin rsh ' +
    'shutdown reboot poweroff halt pkill killall kill env printenv setenv export unset ulimit umask source ' +
    'aptitude acpi cscli agetty aspell base64 bpftrace byebug capsh cobc cpio cpulimit csplit csvtool cupsfilter dmsetup dosbox dstat easyrsa espeak exiftool ffmpeg fping gcloud ' +
    'gcore ghc gtester hping3 iconv iftop irb ispell jjs jrunscript ldconfig logsave msfconsole msgfilter mtr multitime nasm nft ngrok nroff pandoc pexec pidstat pkexec ' +
    'restic rlwrap rpmdb rsyslogd rview scanmem slsh start-stop-daemon sysctl tasksh tdbtool terraform tmux torify troff unsquashfs vagrant valgrind vimdiff xelatex ' +
    'perf c89 c99 regedit reg zip column look pr csh choom logger setpriv softlimit taskset runuser pax bc capsh ctr ' +
    'ftpget ftpput telnetd utelnetd dropbear tftpd xdotool zypper iwmi gwmi gci tasklist whereis dpkg-query snapctl getcap setcap pstree vmstat iostat ethtool fdisk lsblk blkid losetup insmod modprobe lsmod arping'
  ).split(' '),
)

/** Commands that are also words: they need an argument that only a shell takes. */
const ENGLISH = new Set(
  (
    'cat echo find sort more less who date time top head tail cut make host test which sleep touch last move dir net file script read history ' +
    'mount kill paste exec alias write finger diff comm locate groups fold expand patch view links fetch mail source export id fish ash dash ' +
    'expr seq node ruby perl python docker php ed ex cc ss sc cmd cp mv ps rm su ln df dd env ping strings gem knife dig whois ip mysql npm pip copy del stat ' +
    'cd set ver w man zip reg look pr bc column perf logger read jobs trap last users groups free uptime arch tty'
  ).split(' '),
)

/** Commands, and words of the shell's own grammar, that run the command behind them. */
const WRAPPERS = new Set(
  'time sudo nohup env exec command nice strace ltrace builtin doas timeout setsid stdbuf ionice start call do then else xargs busybox unbuffer toybox coproc systemd-run'.split(
    ' ',
  ),
)

/** What people tell each other to type: to install something. Alone in a value they are advice. */
const ADVISED = new Set(
  'apt apt-get dpkg yum dnf rpm zypper pip pip3 npm gem sudo python python3 node docker git brew apk'.split(
    ' ',
  ),
)

/** Commands that tell an intruder where they are: what is sent first, mostly without any argument. */
const LOOKS_AROUND = new Set(
  'id whoami ls pwd ps env hostname uname ifconfig ipconfig w who set ver dir netstat df printenv systeminfo tasklist uptime'.split(
    ' ',
  ),
)

/** Commands whose name is neither a word nor an abbreviation of anything else. */
const TELLING = new Set(
  'whoami ifconfig ipconfig netstat systeminfo tasklist nslookup printenv lastlog getent wget uname bitsadmin certutil mshta rundll32 regsvr32'.split(
    ' ',
  ),
)

/** All that can be the name of a command, or run one. */
export const SHELL_NAMES: readonly string[] = [...COMMANDS, ...ENGLISH, ...WRAPPERS]

export function isTellingCommand(word: string): boolean {
  return TELLING.has(word)
}

export function isShellCommand(word: string): boolean {
  return COMMANDS.has(word) || ENGLISH.has(word)
}

export function isEnglishCommand(word: string): boolean {
  return ENGLISH.has(word)
}

export function isWrapperCommand(word: string): boolean {
  return WRAPPERS.has(word)
}

export function isAdvisedCommand(word: string): boolean {
  return ADVISED.has(word)
}

export function looksAround(word: string): boolean {
  return LOOKS_AROUND.has(word)
}

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Whether a capital and a small letter stand there, as where people begin a sentence. */
export function isCapitalised(text: string, at: number): boolean {
  const first = charCodeAt.call(text, at)
  const second = charCodeAt.call(text, at + 1)
  return first >= 65 && first <= 90 && second >= 97 && second <= 122
}
