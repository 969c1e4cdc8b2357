# A container by hand: `sh room.sh ROOT SHARED PROGRAM UID ARGUMENTS…` becomes PROGRAM, alone with
# the system's programs in a fresh root, as the first process of its namespaces. Of the machine it
# has SHARED, as /run/framelane: no /dev/shm, no network, no System V memory of anybody else's.
set -e
root=$1 shared=$2 program=$3 uid=$4
shift 4
mount --make-rprivate /
mount -t tmpfs room "$root"
mkdir -p "$root/usr" "$root/proc" "$root/dev" "$root/tmp" "$root/run/framelane" "$root/opt"
mount --rbind /usr "$root/usr"
for name in bin lib lib64; do
    if [ -L "/$name" ]; then
        cp -P "/$name" "$root/$name"
    elif [ -d "/$name" ]; then
        mkdir "$root/$name"
        mount --rbind "/$name" "$root/$name"
    fi
done
mount -t proc proc "$root/proc"
mount --bind "$shared" "$root/run/framelane"
touch "$root/dev/null" "$root/opt/program"
mount --bind /dev/null "$root/dev/null"
mount --bind "$program" "$root/opt/program"
if [ "$uid" = 0 ]; then
    exec chroot "$root" /opt/program "$@"
fi
exec chroot --userspec="$uid:$uid" "$root" /opt/program "$@"
