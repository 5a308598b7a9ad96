# XLA's PJRT plugin is a file of a Python package. pip only unpacks it: Python does not
# run it, and jax itself is not needed. Sourced by run.sh.

case $engine in
xla:cuda) plugin=$home/site/nvidia/pjrt_c_api_cuda_plugin.so ;;
*) plugin=$home/site/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so ;;
esac

install_plugin() {
	[[ ! -e $plugin ]] || return 0
	$python -m pip --version >/dev/null 2>&1 || die "$python with pip is needed to unpack the plugin (PYTHON names another)"
	mkdir -p "$home"
	if [[ $engine == xla:cpu ]]; then
		# XLA's own CPU plugin, as lammps-jax packs it: that project builds it from the
		# XLA of the jaxlib with the same version.
		say "plugin lammps-jax-pjrt-cpu $version, 60 MB, into $home"
		$python -m pip install --quiet --no-compile --no-deps --upgrade --target "$home/site" "lammps-jax-pjrt-cpu==$version" || die 'cannot install the plugin'
		[[ -e $plugin ]] || die "$plugin is missing after the installation: another version of the package? set GROUPVIT_PJRT_VERSION"
		return
	fi
	say "plugin jax-cuda13-pjrt $version, about 3 GB with CUDA's libraries, into $home"
	$python -m pip install --quiet --no-compile --upgrade --target "$home/site" \
		"jax-cuda13-pjrt==$version" \
		nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvcc nvidia-cuda-nvrtc nvidia-cuda-runtime \
		nvidia-cudnn-cu13 nvidia-cufft nvidia-cusolver nvidia-cusparse nvidia-nccl-cu13 \
		nvidia-nvjitlink nvidia-nvshmem-cu13 ||
		die 'cannot install the plugin and CUDA libraries'
	# The CUDA libraries are packages beside it. The plugin looks for them in
	# ../nvidia, seen from the path it is opened by, and so does go-xla; a link on
	# the file system's own level (no symbolic one) puts it where that is true:
	#   site/nvidia/cu13/lib/…                    the libraries
	#   site/nvidia/pjrt_c_api_cuda_plugin.so     the name that go-xla looks for
	local so=$home/site/jax_plugins/xla_cuda13/xla_cuda_plugin.so
	[[ -e $so ]] || die "$so is missing after the installation: another version of the package? set GROUPVIT_PJRT_VERSION"
	[[ -d $home/site/nvidia/cu13/lib ]] || die "$home/site/nvidia/cu13/lib is missing after the installation"
	ln -f "$so" "$plugin"
}

need_plugin() {
	[[ $engine != xla:* || -e $plugin ]] || die "no plugin at $plugin: run $here/run.sh --engine $engine plugin"
}
